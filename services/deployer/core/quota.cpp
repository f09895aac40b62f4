#include "services/deployer/core/quota.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "common/base/check.hpp"
#include "common/base/planted.hpp"

namespace lepton::deployer {

namespace {

double part(std::int64_t used, std::int64_t of) {
  return of > 0 ? static_cast<double>(used) / static_cast<double>(of) : 0;
}

std::string gpus(std::int64_t milli) {
  return fmt::format("{:g}", static_cast<double>(milli) / 1000.0);
}

}  // namespace

void Usage::add(Usage const& o, std::int64_t times) {
  cpu_milli += times * o.cpu_milli;
  memory_mib += times * o.memory_mib;
  gpu_milli += times * o.gpu_milli;
}

Usage usage_of(Allocation const& a) {
  Usage u{a.cpu_milli, a.memory_mib, 0};
  for (auto const& share : a.gpus) u.gpu_milli += share.milli;
  return u;
}

Usage usage_of(ResourceRequest const& r, std::uint32_t tasks) {
  Usage u;
  u.add({r.cpu_milli, r.memory_mib, static_cast<std::int64_t>(r.gpus) * r.gpu_milli}, tasks);
  return u;
}

bool within(Quota const& quota, Usage const& used, Usage const& more) {
  if (more.gpu_milli > 0 && used.gpu_milli + more.gpu_milli > quota.gpu_milli) return false;
  if (more.gpu_milli > 0 && quota.cpu_milli == 0) return true;
  return used.cpu_milli + more.cpu_milli <= quota.cpu_milli;
}

void Ledger::set(PoolId const& pool, std::string const& owner, Quota const& quota) {
  auto& p = pools_[pool];
  auto& account = p.accounts[owner];
  p.quotas += account.quota ? 0 : 1;
  account.quota = quota;
}

bool Ledger::erase(PoolId const& pool, std::string const& owner) {
  auto const* account = find(pool, owner);
  if (account == nullptr || !account->quota) return false;
  pools_[pool].accounts[owner].quota.reset();
  --pools_[pool].quotas;
  tidy(pool, owner);
  return true;
}

bool Ledger::has_quotas(PoolId const& pool) const {
  auto const found = pools_.find(pool);
  return found != pools_.end() && found->second.quotas > 0;
}

Ledger::Account const* Ledger::find(PoolId const& pool, std::string const& owner) const {
  auto const p = pools_.find(pool);
  if (p == pools_.end()) return nullptr;
  auto const account = p->second.accounts.find(owner);
  return account == p->second.accounts.end() ? nullptr : &account->second;
}

// Accounts that say nothing go, so that owners of long ago cost nothing.
void Ledger::tidy(PoolId const& pool, std::string const& owner) {
  auto& accounts = pools_[pool].accounts;
  auto const account = accounts.find(owner);
  if (!account->second.quota && account->second.used == Usage{}) accounts.erase(account);
}

Quota Ledger::quota(PoolId const& pool, std::string const& owner) const {
  auto const* account = find(pool, owner);
  return account == nullptr ? Quota{} : account->quota.value_or(Quota{});
}

void Ledger::add(PoolId const& pool, std::string const& owner, Usage const& usage) {
  pools_[pool].accounts[owner].used.add(usage);
}

void Ledger::subtract(PoolId const& pool, std::string const& owner, Usage const& usage) {
  auto& used = pools_[pool].accounts[owner].used;
  used.add(usage, -1);
  LEPTON_CHECK(used.cpu_milli >= 0 && used.memory_mib >= 0 && used.gpu_milli >= 0,
               "an owner gives back more than it has");
  tidy(pool, owner);
}

Usage Ledger::used(PoolId const& pool, std::string const& owner) const {
  auto const* account = find(pool, owner);
  return account == nullptr ? Usage{} : account->used;
}

double Ledger::turn(PoolId const& pool, std::string const& owner, Totals const& capacity) const {
  auto const u = used(pool, owner);
  auto const q = quota(pool, owner);
  auto const of_quota = std::max(q.gpu_milli > 0 ? part(u.gpu_milli, q.gpu_milli) : 0,
                                 q.cpu_milli > 0 ? part(u.cpu_milli, q.cpu_milli) : 0);
  if ((q.gpu_milli > 0 || q.cpu_milli > 0) && of_quota < 1) return of_quota - 1;
  auto const dominant =
      std::max({part(u.gpu_milli, capacity.gpu_milli), part(u.cpu_milli, capacity.cpu_milli),
                part(u.memory_mib, capacity.memory_mib)});
  return dominant / std::max<std::uint32_t>(q.weight, 1);
}

std::optional<std::string> Ledger::beyond_limit(PoolId const& pool, std::string const& owner,
                                                Usage const& more) const {
  auto const most = quota(pool, owner).gpu_milli_max;
  auto const now = used(pool, owner).gpu_milli;
  if (most == 0 || more.gpu_milli == 0 || now + more.gpu_milli <= most) return std::nullopt;
  if (planted("limit_unasked")) return std::nullopt;
  return fmt::format(
      "{} uses {} of at most {} GPUs in pool '{}', and this job asks for {}; it starts when other "
      "work of {} has ended, or after `lepton quota set`",
      owner, gpus(now), gpus(most), pool.value, gpus(more.gpu_milli), owner);
}

bool Ledger::is_owed(PoolId const& pool, std::string const& owner, Usage const& more) const {
  return within(quota(pool, owner), used(pool, owner), more);
}

std::vector<bool> borrowed(Quota const& quota, std::vector<OwnedWork> const& work) {
  std::vector<std::size_t> order(work.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple(-work[a].priority, work[a].started_at_ms) <
           std::tuple(-work[b].priority, work[b].started_at_ms);
  });
  std::vector<bool> result(work.size(), true);
  Usage used;
  for (auto i : order) {
    if (!within(quota, used, work[i].usage)) continue;
    used.add(work[i].usage);
    result[i] = false;
  }
  return result;
}

}  // namespace lepton::deployer
