#include "common/actor/recorded.hpp"

#include <cstring>

namespace lepton::actor {

Recorded::Answer Recorded::look_up(std::string const& caller, std::string const& id,
                                   crypto::Hash const& hash) const {
  auto const found = entries_.find({caller, id});
  if (found == entries_.end()) return {Known::fresh, {}};
  if (found->second.hash != hash) return {Known::conflict, {}};
  if (!found->second.done) return {Known::pending, {}};
  return {Known::done, found->second.reply};
}

void Recorded::begin(std::string const& caller, std::string const& id, crypto::Hash const& hash) {
  entries_[{caller, id}] = {hash, false, {}};
}

void Recorded::forget(std::string const& caller, std::string const& id) {
  auto const found = entries_.find({caller, id});
  if (found != entries_.end() && !found->second.done) entries_.erase(found);
}

void Recorded::finish(RequestRow const& row) {
  Entry entry{{}, true, row.reply.data};
  if (row.body_hash.data.size() != entry.hash.size()) return;
  std::memcpy(entry.hash.data(), row.body_hash.data.data(), entry.hash.size());
  entries_[{row.caller, row.request_id}] = std::move(entry);
  done_order_.emplace_back(row.caller, row.request_id);
  while (done_order_.size() > entries_max_) {
    entries_.erase(done_order_.front());
    done_order_.pop_front();
  }
}

void Recorded::clear() {
  entries_.clear();
  done_order_.clear();
}

}  // namespace lepton::actor
