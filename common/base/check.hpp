#pragma once
// LEPTON_CHECK: an invariant that must hold in release builds too. When it does not, the process
// stops at once with the place and the sentence: a wrong control plane is worse than a dead one.

namespace lepton {
[[noreturn]] void check_failed(char const* condition, char const* why, char const* file, int line);
}  // namespace lepton

#define LEPTON_CHECK(condition, why)      \
  (static_cast<bool>(condition) ? void(0) \
                                : ::lepton::check_failed(#condition, why, __FILE__, __LINE__))
