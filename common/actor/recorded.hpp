#pragma once
// Mutations that took effect, by (caller, request id): the same request again gets the same answer
// and has no second effect; another body under the same id is a conflict. The newest are kept here,
// all of 24 h are rows; the rows' primary key guards what memory no longer holds. Pure; the host
// owns it.

#include <deque>
#include <map>
#include <string>

#include "common/actor/rows.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::actor {

class Recorded {
 public:
  enum class Known { fresh, pending, done, conflict };
  struct Answer {
    Known known = Known::fresh;
    std::string reply;  // of done; empty when the answer held a secret
  };

  explicit Recorded(std::size_t entries_max) : entries_max_(entries_max) {}

  Answer look_up(std::string const& caller, std::string const& id, crypto::Hash const& hash) const;
  void begin(std::string const& caller, std::string const& id, crypto::Hash const& hash);
  void forget(std::string const& caller, std::string const& id);  // it was refused: no effect
  void finish(RequestRow const& row);                             // durable now
  void clear();
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    crypto::Hash hash{};
    bool done = false;
    std::string reply;
  };
  using Key = std::pair<std::string, std::string>;
  std::size_t entries_max_;
  std::map<Key, Entry> entries_;
  std::deque<Key> done_order_;
};

}  // namespace lepton::actor
