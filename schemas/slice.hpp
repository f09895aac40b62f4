#pragma once
// Messages about slices: named parts of machines that placement sees as nodes of their own, in a
// pool of their own if nothing else is said. The deployer owns and serves them. What runs in a
// slice is limited as elsewhere, and together never gets more than the slice has.
//
// A slice with a beginning is a reservation: its places are kept from now on, as work that ends in
// time gives them back, and it is there at that instant. Until then what is kept is lent to work
// whose time limit ends before it.
//
// Conversation (P a person, D the deployer), each audited, all of a slice's parts or none:
//   create  = P:SliceCreate ( D:SliceView / D:Refusal )        ; refused where it cannot be kept
//   resize  = P:SliceResize ( D:SliceView / D:Refusal )        ; also while in use
//   release = P:SliceRelease ( D:SliceReleased / D:Refusal )   ; refused while in use

#include <cstdint>
#include <string>
#include <vector>

#include "common/schema/schema.hpp"
#include "schemas/access.hpp"
#include "schemas/states.hpp"
#include "schemas/values.hpp"

namespace lepton {

inline constexpr std::uint32_t slice_parts_max = 256;
// The label by which work finds, or keeps off, slices.
inline constexpr char const* slice_label = "slice";

// What each part of a slice has. GPUs are whole, or one is shared.
struct SliceSize {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  std::int64_t disk_mib = 0;
  std::int64_t bandwidth_mbit = 0;
  std::uint32_t gpus = 0;
  std::uint32_t gpu_milli = 1000;

  bool operator==(SliceSize const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = SliceSize;
    return schema::fields(
        field(1, "cpu_milli", &T::cpu_milli, "CPU, thousandths of a core.").bounds(0, 1e7),
        field(2, "memory_mib", &T::memory_mib, "Memory, MiB.").bounds(0, 1e9),
        field(3, "disk_mib", &T::disk_mib, "Scratch disk, MiB.").bounds(0, 1e10).optional(),
        field(4, "bandwidth_mbit", &T::bandwidth_mbit, "Network, Mbit/s.")
            .bounds(0, 1e9)
            .optional(),
        field(5, "gpus", &T::gpus, "GPUs.").bounds(0, 1024).optional(),
        field(6, "gpu_milli", &T::gpu_milli, "Share of each; below 1000 only with gpus = 1.")
            .bounds(1, 1000)
            .optional());
  }
};
static_assert(schema::complete<SliceSize>());

// When a slice is there, and for whom.
struct SliceWindow {
  std::int64_t begins_at_ms = 0;
  std::int64_t ends_at_ms = 0;
  std::vector<std::string> users;

  bool operator==(SliceWindow const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = SliceWindow;
    return schema::fields(
        field(1, "begins_at_ms", &T::begins_at_ms, "Ms since 1970; 0: at once.")
            .bounds(0, 1e14)
            .optional(),
        field(2, "ends_at_ms", &T::ends_at_ms,
              "Ms since 1970; work needs a time limit that ends before. 0: until it is released.")
            .bounds(0, 1e14)
            .optional(),
        field(3, "users", &T::users, "Whose work may go there; empty: everybody's.").optional());
  }
};
static_assert(schema::complete<SliceWindow>());

// One node that placement sees.
struct SlicePart {
  NodeId node;
  NodeId machine;
  NodeState state = NodeState::unknown;
  std::vector<GpuShare> gpus;
  std::int64_t cpu_milli_free = 0;
  std::int64_t memory_mib_free = 0;
  std::int64_t gpu_milli_free = 0;
  std::uint32_t attempts = 0;

  static consteval auto fields() {
    using schema::field;
    using T = SlicePart;
    return schema::fields(
        field(1, "node", &T::node, "Its name as a node."),
        field(2, "machine", &T::machine, "The machine that it is a part of."),
        field(3, "state", &T::state, "Whether it takes new work; unknown: it has not begun."),
        field(4, "gpus", &T::gpus, "Which GPUs of the machine, and how much of each."),
        field(5, "cpu_milli_free", &T::cpu_milli_free, "CPU free, thousandths of a core."),
        field(6, "memory_mib_free", &T::memory_mib_free, "Memory free, MiB."),
        field(7, "gpu_milli_free", &T::gpu_milli_free, "GPU free, thousandths of one GPU."),
        field(8, "attempts", &T::attempts, "Attempts that hold something there."));
  }
};
static_assert(schema::complete<SlicePart>());

struct SliceView {
  std::string name;
  PoolId pool;
  SliceSize size;
  std::vector<SlicePart> parts;
  SliceWindow window;

  static consteval auto fields() {
    using schema::field;
    using T = SliceView;
    return schema::fields(field(1, "name", &T::name, "Name."),
                          field(2, "pool", &T::pool, "The pool that its nodes are in."),
                          field(3, "size", &T::size, "What each part has."),
                          field(4, "parts", &T::parts, "Its nodes."),
                          field(5, "window", &T::window, "When it is there, and for whom."));
  }
};
static_assert(schema::complete<SliceView>());

struct SliceCreate {
  static constexpr std::string_view topic = "deployer.slice.create";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = SliceView;
  std::string name;
  SliceSize size;
  std::uint32_t parts = 1;
  PoolId pool;
  PoolId from{"default"};
  NodeId machine;
  std::vector<std::string> gpu_models;
  std::uint32_t ports = 0;
  SliceWindow window;

  std::string resource() const { return "node/" + name; }
  static consteval auto fields() {
    using schema::field;
    using T = SliceCreate;
    return schema::fields(
        field(1, "name", &T::name, "DNS label; the node is called so, or NAME-0, NAME-1 and on."),
        field(2, "size", &T::size, "What each part has."),
        field(3, "parts", &T::parts, "So many, on one machine or several.")
            .bounds(1, slice_parts_max)
            .optional(),
        field(4, "pool", &T::pool, "Pool of its nodes; empty: one called as the slice.").optional(),
        field(5, "from", &T::from, "Pool of the machines.").optional(),
        field(6, "machine", &T::machine, "This machine and no other; empty: any of the pool.")
            .optional(),
        field(7, "gpu_models", &T::gpu_models, "Accepted models, best first; empty: any.")
            .optional(),
        field(8, "ports", &T::ports, "Ports that each part may give to work.")
            .bounds(0, 1000)
            .optional(),
        field(9, "window", &T::window, "When it is there, and for whom.").optional());
  }
};
static_assert(schema::complete<SliceCreate>());

// A field below 0 stays as it is.
struct SliceResize {
  static constexpr std::string_view topic = "deployer.slice.resize";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = SliceView;
  std::string name;
  std::int64_t cpu_milli = -1;
  std::int64_t memory_mib = -1;
  std::int64_t disk_mib = -1;
  std::int64_t bandwidth_mbit = -1;
  std::int64_t gpus = -1;
  std::int64_t gpu_milli = -1;

  std::string resource() const { return "node/" + name; }
  static consteval auto fields() {
    using schema::field;
    using T = SliceResize;
    return schema::fields(
        field(1, "name", &T::name, "Name."),
        field(2, "cpu_milli", &T::cpu_milli, "CPU of each part, thousandths of a core.")
            .bounds(-1, 1e7)
            .optional(),
        field(3, "memory_mib", &T::memory_mib, "Memory of each part, MiB.")
            .bounds(-1, 1e9)
            .optional(),
        field(4, "disk_mib", &T::disk_mib, "Scratch disk of each part, MiB.")
            .bounds(-1, 1e10)
            .optional(),
        field(5, "bandwidth_mbit", &T::bandwidth_mbit, "Network of each part, Mbit/s.")
            .bounds(-1, 1e9)
            .optional(),
        field(6, "gpus", &T::gpus, "GPUs of each part.").bounds(-1, 1024).optional(),
        field(7, "gpu_milli", &T::gpu_milli, "Share of each of them.").bounds(-1, 1000).optional());
  }
};
static_assert(schema::complete<SliceResize>());

struct SliceReleased {
  std::string name;
  std::uint32_t parts = 0;

  static consteval auto fields() {
    using schema::field;
    using T = SliceReleased;
    return schema::fields(field(1, "name", &T::name, "Name."),
                          field(2, "parts", &T::parts, "How many its machines have back."));
  }
};
static_assert(schema::complete<SliceReleased>());

struct SliceRelease {
  static constexpr std::string_view topic = "deployer.slice.release";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = SliceReleased;
  std::string name;

  std::string resource() const { return "node/" + name; }
  static consteval auto fields() {
    using schema::field;
    using T = SliceRelease;
    return schema::fields(field(1, "name", &T::name, "Name."));
  }
};
static_assert(schema::complete<SliceRelease>());

struct SlicePage {
  std::vector<SliceView> slices;

  static consteval auto fields() {
    using schema::field;
    using T = SlicePage;
    return schema::fields(field(1, "slices", &T::slices, "By name."));
  }
};
static_assert(schema::complete<SlicePage>());

struct SliceList {
  static constexpr std::string_view topic = "deployer.slice.list";
  static constexpr Verb verb = Verb::list;
  using Reply = SlicePage;
  std::string name;

  std::string resource() const { return "node"; }
  static consteval auto fields() {
    using schema::field;
    using T = SliceList;
    return schema::fields(field(1, "name", &T::name, "Only this one; empty: all.").optional());
  }
};
static_assert(schema::complete<SliceList>());

}  // namespace lepton
