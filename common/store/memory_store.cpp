#include "common/store/memory_store.hpp"
#include "common/base/planted.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/store/check.hpp"

namespace lepton::store {
namespace {

using Rows = MemoryDisk::Rows;

// How to take one change back.
struct Undo {
  Rows* rows;
  Cells key;
  std::optional<Cells> before;
};

void put(Rows& rows, Cells key, Cells row, std::vector<Undo>& undo) {
  auto [at, fresh] = rows.try_emplace(key);
  undo.push_back(
      {&rows, std::move(key), fresh ? std::nullopt : std::optional(std::move(at->second))});
  at->second = std::move(row);
}

void drop(Rows& rows, Rows::iterator at, std::vector<Undo>& undo) {
  undo.push_back({&rows, at->first, std::move(at->second)});
  rows.erase(at);
}

// Rows with the same leading key cells are neighbours, and they rise in the next one.
void erase_to(Rows& rows, Cells const& bound, std::vector<Undo>& undo) {
  Cells const prefix(bound.begin(), bound.end() - 1);
  auto at = rows.lower_bound(prefix);
  while (at != rows.end()) {
    auto const& key = at->first;
    if (!std::equal(prefix.begin(), prefix.end(), key.begin())) break;
    if (key[prefix.size()] > bound.back()) break;
    drop(rows, at++, undo);
  }
}

std::optional<std::string> apply_one(Change const& change, Rows& rows, std::vector<Undo>& undo) {
  auto const& table = *change.table;
  switch (change.op) {
    case Op::append: {
      auto key = key_of(table, change.cells);
      if (rows.contains(key))
        return fmt::format("table '{}' already has a row with this key", table.name);
      put(rows, std::move(key), change.cells, undo);
      break;
    }
    case Op::upsert:
      put(rows, key_of(table, change.cells), change.cells, undo);
      break;
    case Op::erase:
      if (auto at = rows.find(change.cells); at != rows.end()) drop(rows, at, undo);
      break;
    case Op::erase_to:
      erase_to(rows, change.cells, undo);
      break;
  }
  return std::nullopt;
}

bool holds(Cell const& cell, Compare compare, Cell const& value) {
  if (std::holds_alternative<Null>(value)) return std::holds_alternative<Null>(cell);
  if (std::holds_alternative<Null>(cell)) return false;
  switch (compare) {
    case Compare::equal:
      return cell == value;
    case Compare::less:
      return cell < value;
    case Compare::less_equal:
      return cell <= value;
    case Compare::greater:
      return cell > value;
    case Compare::greater_equal:
      return cell >= value;
  }
  return false;
}

bool matches(Query const& query, Cells const& row) {
  return std::all_of(query.where.begin(), query.where.end(), [&](Condition const& c) {
    return holds(row[*column_index(*query.table, c.column)], c.compare, c.value);
  });
}

std::vector<Cells> select(Query const& query, Rows const& rows) {
  std::vector<Cells> found;
  for (auto const& [key, row] : rows)
    if (matches(query, row)) found.push_back(row);
  auto order = query.table->key;
  if (!query.order_by.empty())
    order.insert(order.begin(), *column_index(*query.table, query.order_by));
  auto const before = [&](Cells const& a, Cells const& b) {
    for (auto i : order)
      if (a[i] != b[i]) return query.descending ? b[i] < a[i] : a[i] < b[i];
    return false;
  };
  std::sort(found.begin(), found.end(), before);
  if (found.size() > query.limit) found.resize(query.limit);
  return found;
}

}  // namespace

std::optional<std::string> MemoryDisk::apply(Batch const& batch) {
  std::vector<Undo> undo;
  for (auto const& change : batch.changes) {
    auto why = apply_one(change, tables_[std::string(change.table->name)], undo);
    if (!why) continue;
    for (auto u = undo.rbegin(); u != undo.rend(); ++u) {
      if (u->before)
        (*u->rows)[u->key] = std::move(*u->before);
      else
        u->rows->erase(u->key);
    }
    return why;
  }
  return std::nullopt;
}

std::int64_t MemoryDisk::take_lease() {
  if (planted("stale_leader_writes") && epoch_ > 0) return epoch_;
  return ++epoch_;
}

MemoryDisk::Rows const& MemoryDisk::rows(std::string_view table) const {
  static Rows const none;
  auto const at = tables_.find(table);
  return at == tables_.end() ? none : at->second;
}

MemoryStore::MemoryStore(std::shared_ptr<MemoryDisk> disk, MemorySettings settings)
    : disk_(std::move(disk)), settings_(std::move(settings)) {}

void MemoryStore::answer(TimeMs delay_ms, std::function<void()> tell) {
  auto guarded = [life = std::weak_ptr<int>(life_), tell = std::move(tell)] {
    if (!life.expired()) tell();
  };
  if (delay_ms <= 0) return settings_.post(std::move(guarded));
  LEPTON_CHECK(settings_.post_after != nullptr, "a fault with a delay needs post_after");
  settings_.post_after(delay_ms, std::move(guarded));
}

CommitResult MemoryStore::decide(Batch const& batch, FaultKind kind) {
  if (settings_.lease_epoch && *settings_.lease_epoch != disk_->epoch() && !planted("no_fence"))
    return {Outcome::fenced, fmt::format("epoch {} holds the lease, not {}", disk_->epoch(),
                                         *settings_.lease_epoch)};
  if (auto why = why_unwritable(batch)) return {Outcome::rejected, *why};
  if (kind == FaultKind::rejected) return {Outcome::rejected, "the test rejects this batch"};
  if (kind == FaultKind::unavailable)
    return {Outcome::unavailable, "the test takes the store away"};
  if (kind == FaultKind::in_doubt_lost)
    return {Outcome::in_doubt, "the test breaks the connection at COMMIT"};
  if (auto why = disk_->apply(batch)) return {Outcome::rejected, *why};
  if (settings_.lease_epoch && *settings_.lease_epoch != disk_->epoch()) disk_->note_stale_write();
  if (kind == FaultKind::in_doubt_applied)
    return {Outcome::in_doubt, "the test breaks the connection at COMMIT"};
  return {};
}

void MemoryStore::commit(Batch batch, Committed done) {
  auto const fault = settings_.fault ? settings_.fault(batch) : Fault{};
  answer(fault.delay_ms,
         [done = std::move(done), result = decide(batch, fault.kind)] { done(result); });
}

void MemoryStore::load(std::vector<Table const*> tables, Loaded done) {
  auto const error = settings_.read_fault ? settings_.read_fault() : std::nullopt;
  if (error) return answer(0, [done = std::move(done), e = *error] { done(e); });
  std::vector<std::vector<Cells>> all;
  for (auto const* table : tables) {
    auto& out = all.emplace_back();
    for (auto const& [key, row] : disk_->rows(table->name)) out.push_back(row);
  }
  answer(0, [done = std::move(done), all = std::move(all)]() mutable { done(std::move(all)); });
}

void MemoryStore::find(Query query, Found done) {
  auto error = settings_.read_fault ? settings_.read_fault() : std::nullopt;
  if (auto good = check_query(query); !error && !good) error = good.error();
  if (error) return answer(0, [done = std::move(done), e = *error] { done(e); });
  answer(0,
         [done = std::move(done), found = select(query, disk_->rows(query.table->name))]() mutable {
           done(std::move(found));
         });
}

}  // namespace lepton::store
