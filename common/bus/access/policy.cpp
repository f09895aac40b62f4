#include "common/bus/access/policy.hpp"

#include <algorithm>

namespace lepton::access {
namespace {

bool speaks_of(PolicyRule const& rule, Verb verb) {
  return std::any_of(rule.verbs.begin(), rule.verbs.end(), [&](Verb listed) {
    return listed == verb || (listed == Verb::unknown && rule.effect != Effect::allow);
  });
}

Error wrong_rule(Policy const& policy, std::size_t index, std::string const& why) {
  return {Code::invalid,
          "rule " + std::to_string(index + 1) + " of policy " + policy.name + ": " + why};
}

Status check_rule(Policy const& policy, std::size_t index) {
  auto const& rule = policy.rules[index];
  if (auto pattern = PathPattern::parse(rule.path); !pattern)
    return wrong_rule(policy, index, pattern.error().what);
  if (rule.verbs.empty())
    return wrong_rule(policy, index, "it names no verb; add one, for example read");
  for (auto const verb : rule.verbs)
    if (schema::name_of(verb) == schema::name_of(Verb::unknown))
      return wrong_rule(policy, index,
                        "unknown verb; use read, write, remove, list, run or manage");
  if (rule.effect != Effect::allow && rule.effect != Effect::deny)
    return wrong_rule(policy, index, "unknown effect; use allow or deny");
  return ok();
}

}  // namespace

Status check_policy(Policy const& policy) {
  if (auto legal = check_segment("policy name", policy.name); !legal) return legal.error();
  if (policy.rules.empty() || policy.rules.size() > max_rules)
    return Error{Code::invalid, "policy " + policy.name + " has " +
                                    std::to_string(policy.rules.size()) + " rules; 1 to " +
                                    std::to_string(max_rules) + " are allowed"};
  for (std::size_t i = 0; i < policy.rules.size(); ++i)
    if (auto good = check_rule(policy, i); !good) return good.error();
  return ok();
}

Result<PolicySet> PolicySet::create(std::vector<Policy> policies) {
  PolicySet set;
  for (auto& policy : policies) {
    if (auto legal = check_segment("policy name", policy.name); !legal) return legal.error();
    Entry entry;
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
      auto pattern = PathPattern::parse(policy.rules[i].path);
      if (!pattern) return wrong_rule(policy, i, pattern.error().what);
      entry.patterns.push_back(std::move(*pattern));
    }
    auto const name = policy.name;
    entry.policy = std::move(policy);
    if (!set.entries_.emplace(name, std::move(entry)).second)
      return Error{Code::conflict, "two policies are named " + name + "; rename or remove one"};
  }
  return set;
}

Decision PolicySet::decide(std::string_view subject, std::vector<std::string> const& policies,
                           ResourcePath const& path, Verb verb) const {
  Decision decision;
  if (!legal_segment(subject) || verb == Verb::unknown) return decision;
  auto const segments = path.segments();
  for (auto const& name : policies) {
    auto const found = entries_.find(name);
    if (found == entries_.end()) continue;
    auto const& [policy, patterns] = found->second;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      auto const& rule = policy.rules[i];
      if (!speaks_of(rule, verb) || !patterns[i].matches(segments, subject)) continue;
      if (rule.effect != Effect::allow) return {false, &policy, &rule};
      if (!decision.allowed) decision = {true, &policy, &rule};
    }
  }
  return decision;
}

std::string PolicySet::explain(std::string_view subject, std::vector<std::string> const& policies,
                               ResourcePath const& path, Verb verb) const {
  auto const decision = decide(subject, policies, path, verb);
  auto const act = std::string(schema::name_of(verb)) + " " + path.text();
  if (decision.rule != nullptr)
    return act + (decision.allowed ? " is allowed" : " is denied") + " by rule '" +
           decision.rule->path + "' of policy " + decision.policy->name;
  if (!legal_segment(subject)) return act + " is denied: the caller's name is not a legal segment";
  if (policies.empty()) return act + " is denied: the token carries no policy";
  std::string names;
  for (auto const& name : policies)
    names += (names.empty() ? "" : ", ") + name + (holds(name) ? "" : " (which does not exist)");
  return act + " is denied: no rule allows it in " + names;
}

bool PolicySet::denies_something(std::string_view name) const {
  auto const found = entries_.find(name);
  if (found == entries_.end()) return false;
  auto const& rules = found->second.policy.rules;
  return std::any_of(rules.begin(), rules.end(),
                     [](PolicyRule const& rule) { return rule.effect != Effect::allow; });
}

std::vector<std::string> PolicySet::names() const {
  std::vector<std::string> out;
  for (auto const& [name, entry] : entries_) out.push_back(name);
  return out;
}

}  // namespace lepton::access
