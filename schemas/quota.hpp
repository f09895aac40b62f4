#pragma once
// Messages about quotas: what each owner is owed in a pool. The deployer owns and serves them. What
// a quota means stands in docs/placement.md.

#include <cstdint>
#include <string>
#include <vector>

#include "common/schema/schema.hpp"
#include "schemas/access.hpp"
#include "schemas/ids.hpp"

namespace lepton {

// Whose quota was put or removed.
struct QuotaChanged {
  PoolId pool;
  std::string owner;

  static consteval auto fields() {
    using schema::field;
    using T = QuotaChanged;
    return schema::fields(field(1, "pool", &T::pool, "The pool."),
                          field(2, "owner", &T::owner, "Whose quota it is."));
  }
};
static_assert(schema::complete<QuotaChanged>());

// Replaces the owner's quota in the pool.
struct QuotaPut {
  static constexpr std::string_view topic = "deployer.quota.put";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = QuotaChanged;
  PoolId pool;
  std::string owner;
  std::int64_t gpu_milli = 0;
  std::int64_t cpu_milli = 0;
  std::int64_t gpu_milli_max = 0;
  std::uint32_t weight = 1;

  std::string resource() const { return "pool/" + pool.value; }
  static consteval auto fields() {
    using schema::field;
    using T = QuotaPut;
    return schema::fields(
        field(1, "pool", &T::pool, "The pool."), field(2, "owner", &T::owner, "Whose quota it is."),
        field(3, "gpu_milli", &T::gpu_milli, "GPU that the owner is owed, thousandths of one GPU.")
            .bounds(0, 1e9),
        field(4, "cpu_milli", &T::cpu_milli,
              "CPU that the owner is owed, thousandths of a core; 0: not counted beside GPUs.")
            .bounds(0, 1e12),
        field(5, "gpu_milli_max", &T::gpu_milli_max,
              "Most GPU with what is borrowed, thousandths of one GPU; 0: no limit.")
            .bounds(0, 1e9),
        field(6, "weight", &T::weight, "Weight of the owner's share of what is lent.")
            .bounds(1, 1000));
  }
};
static_assert(schema::complete<QuotaPut>());

struct QuotaRemove {
  static constexpr std::string_view topic = "deployer.quota.remove";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::manage;
  using Reply = QuotaChanged;
  PoolId pool;
  std::string owner;

  std::string resource() const { return "pool/" + pool.value; }
  static consteval auto fields() {
    using schema::field;
    using T = QuotaRemove;
    return schema::fields(field(1, "pool", &T::pool, "The pool."),
                          field(2, "owner", &T::owner, "Whose quota goes."));
  }
};
static_assert(schema::complete<QuotaRemove>());

struct QuotaLine {
  PoolId pool;
  std::string owner;
  std::int64_t gpu_milli = 0;
  std::int64_t cpu_milli = 0;
  std::int64_t gpu_milli_max = 0;
  std::uint32_t weight = 1;
  std::int64_t gpu_milli_used = 0;
  std::int64_t cpu_milli_used = 0;

  static consteval auto fields() {
    using schema::field;
    using T = QuotaLine;
    return schema::fields(
        field(1, "pool", &T::pool, "The pool."), field(2, "owner", &T::owner, "Whose quota it is."),
        field(3, "gpu_milli", &T::gpu_milli, "GPU owed, thousandths of one GPU."),
        field(4, "cpu_milli", &T::cpu_milli, "CPU owed, thousandths of a core."),
        field(5, "gpu_milli_max", &T::gpu_milli_max,
              "Most GPU with what is borrowed; 0: no limit."),
        field(6, "weight", &T::weight, "Weight of the share of what is lent."),
        field(7, "gpu_milli_used", &T::gpu_milli_used, "GPU in use, thousandths of one GPU."),
        field(8, "cpu_milli_used", &T::cpu_milli_used, "CPU in use, thousandths of a core."));
  }
};
static_assert(schema::complete<QuotaLine>());

struct QuotaPage {
  std::vector<QuotaLine> quotas;

  static consteval auto fields() {
    using schema::field;
    using T = QuotaPage;
    return schema::fields(field(1, "quotas", &T::quotas, "By pool and owner."));
  }
};
static_assert(schema::complete<QuotaPage>());

struct QuotaList {
  static constexpr std::string_view topic = "deployer.quota.list";
  static constexpr Verb verb = Verb::list;
  using Reply = QuotaPage;
  PoolId pool;

  std::string resource() const { return pool.empty() ? "pool" : "pool/" + pool.value; }
  static consteval auto fields() {
    using schema::field;
    using T = QuotaList;
    return schema::fields(field(1, "pool", &T::pool, "Only of this pool.").optional());
  }
};
static_assert(schema::complete<QuotaList>());

}  // namespace lepton
