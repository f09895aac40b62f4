#include "services/vault/core/policies.hpp"

#include "common/bus/access/policy.hpp"

namespace lepton::vault {
namespace {

constexpr std::string_view admin = "admin";

Error untouchable() {
  return {Code::conflict,
          "the policy admin cannot be changed, so that nobody is locked out; put a policy of "
          "another name and create tokens with it"};
}

}  // namespace

std::vector<Policy> builtin_policies() {
  using enum Verb;
  return {
      {std::string(admin), {{"*", {read, write, remove, list, run, manage, exec}, Effect::allow}}},
      {"user",
       {{"job/{subject}", {list}, Effect::allow},
        {"job/{subject}/*", {read, write, remove, list, run, exec}, Effect::allow},
        {"secret/{subject}", {list}, Effect::allow},
        {"secret/{subject}/*", {read, write, remove, list}, Effect::allow},
        {"node", {list}, Effect::allow},
        {"node/*", {read, list}, Effect::allow},
        {"pool/*", {read, list}, Effect::allow},
        {"alert", {list}, Effect::allow},
        {"service", {list}, Effect::allow},
        {"service/*", {read, list}, Effect::allow}}}};
}

Status check_put(std::map<std::string, Policy> const& stored, Policy const& policy) {
  if (auto good = access::check_policy(policy); !good) return good.error();
  if (policy.name == admin) return untouchable();
  if (stored.size() >= max_stored_policies && !stored.contains(policy.name))
    return Error{Code::exhausted, "there are " + std::to_string(max_stored_policies) +
                                      " policies, which is the limit; remove one first"};
  return ok();
}

Status check_remove(std::map<std::string, Policy> const& stored, std::string const& name) {
  if (name == admin) return untouchable();
  if (!stored.contains(name))
    return Error{Code::not_found, "there is no policy of that name; see 'lepton policy list'"};
  return ok();
}

}  // namespace lepton::vault
