#pragma once
// Identities that cannot be mixed up: passing a NodeId for a JobId does not compile.

#include <compare>
#include <functional>
#include <string>

namespace lepton {

template <class Tag>
struct Id {
  std::string value;

  auto operator<=>(Id const&) const = default;
  bool empty() const { return value.empty(); }
};

}  // namespace lepton

template <class Tag>
struct std::hash<lepton::Id<Tag>> {
  std::size_t operator()(lepton::Id<Tag> const& id) const noexcept {
    return std::hash<std::string>{}(id.value);
  }
};
