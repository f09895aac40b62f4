#pragma once
// node label, node taint: schemas/node_marks.hpp for people. One thread.

#include "cli/command.hpp"

namespace lepton::cli {

Commands mark_commands();

}  // namespace lepton::cli
