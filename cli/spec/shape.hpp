#pragma once
// What stands at the wrong place in a spec, or in a form that a person may well write and this
// version does not read: refused with what to write instead, before the fields are read. Pure.
// Errors: invalid, as "line N: FIELD: what is wrong, what to write instead".

#include <string>

#include "common/codec/tree.hpp"

namespace lepton::cli {

// The node at the path "resources.gpu", or the last one on the way there.
codec::Tree const& node_at(codec::Tree const& tree, std::string const& path);

Status check_shapes(codec::Tree const& tree);
// One wish for GPUs is a list of one.
void make_lists(codec::Tree& tree);

}  // namespace lepton::cli
