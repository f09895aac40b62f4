#pragma once
// A durable change: one row of ours, and what the runtime adds to it: its record under the
// request's id and its audit event. Three rows in one transaction, on both sides of the
// comparison. The processes of one side are those of side.hpp.

#include <string>

#include "bench/messaging/parties.hpp"
#include "common/base/secret.hpp"
#include "common/store/store.hpp"

namespace lepton::bench {

inline constexpr char const* our_schema = "bench";
inline constexpr char const* bare_schema = "bare";
inline constexpr int rows_per_change = 3;

struct ItemRow {
  static constexpr std::string_view table = "item";
  std::string item;
  std::string owner;
  std::int64_t gpus = 8;
  std::int64_t queued_at_ms = 1'800'000'000'000;
  std::string note = std::string(163, 'n');

  static consteval auto fields() {
    using schema::field;
    using R = ItemRow;
    return schema::fields(field(1, "item", &R::item, "Identity.").key(),
                          field(2, "owner", &R::owner, "Who asked."),
                          field(3, "gpus", &R::gpus, "Whole GPUs."),
                          field(4, "queued_at_ms", &R::queued_at_ms, "Since 1970, ms."),
                          field(5, "note", &R::note, "Free text."));
  }
};
static_assert(schema::complete<ItemRow>());
inline constexpr char const* item_definition =
    "CREATE TABLE item (item text PRIMARY KEY, owner text NOT NULL, gpus bigint NOT NULL, "
    "queued_at_ms bigint NOT NULL, note text NOT NULL)";

struct ItemStored {
  std::string item;
  static consteval auto fields() {
    return schema::fields(schema::field(1, "item", &ItemStored::item, "Identity."));
  }
};
static_assert(schema::complete<ItemStored>());

struct ItemPut {
  static constexpr std::string_view topic = "bench.item.put";
  static constexpr Verb verb = Verb::run;
  static constexpr bool mutates = true;
  using Reply = ItemStored;
  ItemRow item;
  std::string resource() const { return item_resource; }

  static consteval auto fields() {
    return schema::fields(schema::field(1, "item", &ItemPut::item, "What is stored."));
  }
};
static_assert(schema::complete<ItemPut>());

ItemRow item_of(std::int64_t number);

// The whole frame of a service: Bus, TokenGate, System, PostgresStore, as in common/service.
void durable_server(Secret<std::string> const& url, Load const& load, Shared& shared);
// Notes rtt_p50_us, pipelined_rps and group_items.
void durable_client(Load const& load, Shared& shared);

// libpq alone. rtt_p50_us: one row, INSERT with its commit. pipelined_rps: changes of three rows in
// groups of group_items, one transaction of COPY a group, the data made beforehand.
void bare_database(Secret<std::string> const& url, Load const& load, Shared& shared);
void no_server(Load const& load, Shared& shared);

}  // namespace lepton::bench
