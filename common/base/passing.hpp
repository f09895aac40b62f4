#pragma once
// Which failures pass by themselves. Pure.

#include "common/base/result.hpp"

namespace lepton {

// Whoever was asked is away or busy for a while: the same question may be asked again.
constexpr bool is_passing(Code code) {
  return code == Code::unavailable || code == Code::timeout || code == Code::exhausted;
}

}  // namespace lepton
