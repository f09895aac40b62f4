#pragma once
// Decides what a caller may do. What no rule allows is denied, and a deny wins over every allow,
// however specific either is: there is no order of rules to reason about. One matcher serves all
// verbs. A verb or effect from a newer version grants nothing and, in a deny, forbids everything.
// Pure; any thread may read a PolicySet.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/bus/access/path.hpp"
#include "schemas/access.hpp"

namespace lepton::access {

inline constexpr std::size_t max_rules = 256;    // of one policy
inline constexpr std::size_t max_policies = 64;  // of one token

// Refuses a policy that people could not have meant: bad name, pattern, verb, effect or size.
Status check_policy(Policy const& policy);

struct Decision {
  bool allowed = false;
  Policy const* policy = nullptr;    // of the rule that decided; valid as long as the PolicySet
  PolicyRule const* rule = nullptr;  // nothing when no rule spoke of it
};

class PolicySet {
 public:
  PolicySet() = default;
  static Result<PolicySet> create(std::vector<Policy> policies);  // names must differ

  Decision decide(std::string_view subject, std::vector<std::string> const& policies,
                  ResourcePath const& path, Verb verb) const;

  // The decision as a sentence for people: which rule of which policy, or that there is none.
  std::string explain(std::string_view subject, std::vector<std::string> const& policies,
                      ResourcePath const& path, Verb verb) const;

  bool holds(std::string_view name) const { return entries_.contains(name); }
  bool denies_something(std::string_view name) const;  // of a policy that it holds
  std::vector<std::string> names() const;              // in order

 private:
  struct Entry {
    Policy policy;
    std::vector<PathPattern> patterns;  // one for each rule
  };
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace lepton::access
