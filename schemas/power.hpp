#pragma once
// Messages about power caps: how much the GPUs of all nodes with one value of a label may draw
// together. The deployer owns and serves them; what counts stands in docs/placement.md.

#include <cstdint>
#include <string>
#include <vector>

#include "common/schema/schema.hpp"
#include "schemas/access.hpp"

namespace lepton {

struct PowerCapLine {
  std::string key;
  std::string value;
  std::int64_t cap_watts = 0;
  std::int64_t drawn_watts = 0;
  std::uint64_t nodes = 0;

  static consteval auto fields() {
    using schema::field;
    using T = PowerCapLine;
    return schema::fields(
        field(1, "key", &T::key, "Key of the label."),
        field(2, "value", &T::value, "Its value: nodes with it share the cap."),
        field(3, "cap_watts", &T::cap_watts, "What their GPUs may draw together."),
        field(4, "drawn_watts", &T::drawn_watts, "What they draw at most as things stand."),
        field(5, "nodes", &T::nodes, "How many nodes there are."));
  }
};
static_assert(schema::complete<PowerCapLine>());

// What runs goes on, also above a cap that is lower; nothing new starts until it fits.
struct PowerCapPut {
  static constexpr std::string_view topic = "deployer.power.put";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = PowerCapLine;
  std::string key;
  std::string value;
  std::int64_t cap_watts = 0;

  std::string resource() const { return "node"; }
  static consteval auto fields() {
    using schema::field;
    using T = PowerCapPut;
    return schema::fields(
        field(1, "key", &T::key, "Key of the label."), field(2, "value", &T::value, "Its value."),
        field(3, "cap_watts", &T::cap_watts, "What the GPUs of its nodes may draw together.")
            .bounds(1, 1e9));
  }
};
static_assert(schema::complete<PowerCapPut>());

struct PowerCapRemove {
  static constexpr std::string_view topic = "deployer.power.remove";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = PowerCapLine;
  std::string key;
  std::string value;

  std::string resource() const { return "node"; }
  static consteval auto fields() {
    using schema::field;
    using T = PowerCapRemove;
    return schema::fields(field(1, "key", &T::key, "Key of the label."),
                          field(2, "value", &T::value, "Its value."));
  }
};
static_assert(schema::complete<PowerCapRemove>());

struct PowerCapPage {
  std::vector<PowerCapLine> caps;

  static consteval auto fields() {
    using schema::field;
    using T = PowerCapPage;
    return schema::fields(field(1, "caps", &T::caps, "By label."));
  }
};
static_assert(schema::complete<PowerCapPage>());

struct PowerCapList {
  static constexpr std::string_view topic = "deployer.power.list";
  static constexpr Verb verb = Verb::list;
  using Reply = PowerCapPage;

  std::string resource() const { return "node"; }
  static consteval auto fields() { return schema::fields(); }
};
static_assert(schema::complete<PowerCapList>());

}  // namespace lepton
