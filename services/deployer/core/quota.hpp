#pragma once
// Quotas and fair share of the owners in a pool. A quota is what an owner is owed: work within it
// goes first, and takes back what others have borrowed. What nobody is owed, or does not use, is
// lent to whoever has work: the next turn is of the owner with the smallest dominant share (Ghodsi
// et al., Dominant Resource Fairness, NSDI 2011) divided by the owner's weight. In a pool without
// quotas nothing of this applies, and the queue's order alone decides.
// Pure; owned by the deployer's actor, one thread. Units as in Room. Errors: subtracting more than
// was added stops the process.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/deployer/core/cluster.hpp"

namespace lepton::deployer {

struct Quota {
  std::int64_t gpu_milli = 0;      // owed
  std::int64_t cpu_milli = 0;      // owed; 0: beside GPUs CPU is not counted
  std::int64_t gpu_milli_max = 0;  // most with what is borrowed; 0: no limit
  std::uint32_t weight = 1;        // of its share of what is lent

  bool operator==(Quota const&) const = default;
};

struct Usage {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_mib = 0;
  std::int64_t gpu_milli = 0;

  void add(Usage const& o, std::int64_t times = 1);
  bool operator==(Usage const&) const = default;
};
Usage usage_of(Allocation const& a);
Usage usage_of(ResourceRequest const& r, std::uint32_t tasks);

// Whether an owner that uses `used` may have `more` as its due.
bool within(Quota const& quota, Usage const& used, Usage const& more);

class Ledger {
 public:
  void set(PoolId const& pool, std::string const& owner, Quota const& quota);
  bool erase(PoolId const& pool, std::string const& owner);
  bool has_quotas(PoolId const& pool) const;
  // An owner without a quota is owed nothing and has the weight 1.
  Quota quota(PoolId const& pool, std::string const& owner) const;

  void add(PoolId const& pool, std::string const& owner, Usage const& usage);
  void subtract(PoolId const& pool, std::string const& owner, Usage const& usage);
  Usage used(PoolId const& pool, std::string const& owner) const;

  // Whose turn it is: the smallest goes first. Below 0 while the owner has less than it is owed.
  double turn(PoolId const& pool, std::string const& owner, Totals const& capacity) const;
  // Why so much more would pass the owner's limit; nothing when it would not.
  std::optional<std::string> beyond_limit(PoolId const& pool, std::string const& owner,
                                          Usage const& more) const;
  bool is_owed(PoolId const& pool, std::string const& owner, Usage const& more) const;

 private:
  struct Account {
    std::optional<Quota> quota;
    Usage used;
  };
  struct Pool {
    std::map<std::string, Account> accounts;
    std::size_t quotas = 0;
  };
  Account const* find(PoolId const& pool, std::string const& owner) const;
  void tidy(PoolId const& pool, std::string const& owner);

  std::map<PoolId, Pool> pools_;
};

// Work of one owner, for the question which of it is borrowed.
struct OwnedWork {
  std::int32_t priority = 50;
  std::int64_t started_at_ms = 0;
  Usage usage;
};
// The owner's most important and oldest work is what it is owed; what does not fit into that is
// borrowed. In the order of the work.
std::vector<bool> borrowed(Quota const& quota, std::vector<OwnedWork> const& work);

}  // namespace lepton::deployer
