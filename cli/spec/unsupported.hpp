#pragma once
// Fields of the spec convention that this version knows but cannot honour. They are refused, each
// with its reason: a field that is silently ignored would promise what nobody keeps. Pure; any
// thread.

#include <optional>
#include <string_view>

namespace lepton::cli {

// `path` is dotted ("retry.duration"); nothing for every other field.
std::optional<std::string_view> why_unsupported(std::string_view path);

}  // namespace lepton::cli
