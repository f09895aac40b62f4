// What owners are owed (core/quota): kept as rows, counted with each place that is given or taken
// back, and asked for whenever somebody wants more.

#include "common/bus/access/path.hpp"
#include "services/deployer/deployer.hpp"

namespace lepton::deployer {
namespace {

constexpr std::size_t quotas_max = 10'000;

Status check_quota(QuotaPut const& m) {
  if (auto good = access::check_segment("pool", m.pool.value); !good) return good;
  if (auto good = access::check_segment("owner", m.owner); !good) return good;
  if (m.gpu_milli_max > 0 && m.gpu_milli_max < m.gpu_milli)
    return Error{Code::invalid,
                 "gpu_milli_max: is less than gpu_milli, which the owner is owed; 0 sets no limit"};
  return ok();
}

}  // namespace

Result<QuotaChanged> Deployer::put_quota(QuotaPut const& m, Context& c) {
  if (auto good = check_quota(m); !good) return good.error();
  auto const key = std::pair(m.pool, m.owner);
  if (!quotas_.contains(key) && quotas_.size() >= quotas_max)
    return Error{Code::exhausted, "there are 10,000 quotas, which is the limit; remove one first"};
  QuotaRow const row{m.pool, m.owner, m.gpu_milli, m.cpu_milli, m.gpu_milli_max, m.weight};
  quotas_[key] = row;
  c.upsert(row);
  ledger_.set(m.pool, m.owner, {m.gpu_milli, m.cpu_milli, m.gpu_milli_max, m.weight});
  c.note("owner", m.owner);
  queue_anew(m.pool);
  return QuotaChanged{m.pool, m.owner};
}

Result<QuotaChanged> Deployer::remove_quota(QuotaRemove const& m, Context& c) {
  auto const found = quotas_.find({m.pool, m.owner});
  if (found == quotas_.end())
    return Error{Code::not_found, "there is no quota of '" + m.owner + "' in pool '" +
                                      m.pool.value + "'; `lepton quota list` shows all"};
  c.erase(found->second);
  quotas_.erase(found);
  ledger_.erase(m.pool, m.owner);
  c.note("owner", m.owner);
  queue_anew(m.pool);
  return QuotaChanged{m.pool, m.owner};
}

Result<QuotaPage> Deployer::list_quotas(QuotaList const& m, Context&) {
  QuotaPage page;
  for (auto const& [key, row] : quotas_) {
    if (!m.pool.empty() && row.pool != m.pool) continue;
    auto const used = ledger_.used(row.pool, row.owner);
    page.quotas.push_back({row.pool, row.owner, row.gpu_milli, row.cpu_milli, row.gpu_milli_max,
                           row.weight, used.gpu_milli, used.cpu_milli});
  }
  return page;
}

// Groups have come or gone, and what did not start for a limit may start now.
void Deployer::queue_anew(PoolId const& pool) {
  for (auto const& queued : queue_.take(pool)) enqueue(jobs_.at(queued.job));
  more_to_place_ = true;
}

void Deployer::hold_for(Job const& job, AttemptId const& attempt, Allocation const& allocation) {
  auto const held = cluster_.reserve(attempt, allocation);
  LEPTON_CHECK(held.has_value(), "a task has a place where it does not fit");
  ledger_.add(job.row.pool, job.row.owner, usage_of(allocation));
}

void Deployer::release(AttemptId const& attempt, Context& c) {
  auto const* held = cluster_.held(attempt);
  auto const* job = job_of(attempt);
  if (held == nullptr || job == nullptr) return;
  ledger_.subtract(job->row.pool, job->row.owner, usage_of(*held));
  auto const server = stands_behind_entrance(*job) ? server_of(*job, *held) : std::nullopt;
  auto const node = held->node;
  cluster_.release(attempt);
  if (!server) return;
  vacated_.add(attempt, node, *server, c);
  balance_soon(c);
}

std::optional<std::string> Deployer::beyond_limit(Job const& job) const {
  return ledger_.beyond_limit(job.row.pool, job.row.owner,
                              usage_of(job.resources(), job.spec().nodes));
}

// Of slices that are for some only, or end before it does; and of power caps.
std::optional<std::string> Deployer::objection(JobSpec const& spec, std::string const& owner,
                                               std::vector<Allocation> const& places, WallMs now) {
  auto const limited = spec.max_duration_ms > 0;
  auto const ends_by = limited ? std::optional<WallMs>(now + longest_ms(spec)) : std::nullopt;
  if (auto why = slices_.objection(places, owner, now, ends_by)) return why;
  return power_.objection(places);
}

std::optional<std::string> Deployer::objection(Job const& job,
                                               std::vector<Allocation> const& places, WallMs now) {
  return objection(job.spec(), job.row.owner, places, now);
}

// It could not start even if its owner used nothing.
std::optional<std::string> Deployer::beyond_limit_alone(JobSpec const& spec,
                                                        std::string const& owner) const {
  auto const most = ledger_.quota(spec.pool, owner).gpu_milli_max;
  auto const asks = usage_of(spec.resources, spec.nodes).gpu_milli;
  if (most == 0 || asks <= most) return std::nullopt;
  return "resources: the job asks for " + std::to_string(asks) + " thousandths of a GPU, and " +
         owner + " may use " + std::to_string(most) + " in pool '" + spec.pool.value +
         "'; ask for less, or for `lepton quota set`";
}

Preemptor Deployer::preemptor_of(QueuedJob const& queued, std::string const& owner) const {
  Preemptor p{queued.resources, queued.pool, queued.tasks, queued.priority, owner};
  p.quotas = ledger_.has_quotas(queued.pool);
  p.owed =
      p.quotas && ledger_.is_owed(queued.pool, owner, usage_of(queued.resources, queued.tasks));
  return p;
}

// All work of an owner counts, whether it may be stopped or not.
void Deployer::mark_borrowed(std::vector<Running>& running, PoolId const& pool) const {
  std::map<std::string, std::vector<OwnedWork>> work;
  std::map<JobId, std::size_t> place;
  for (auto const& id : live_) {
    auto const& job = jobs_.at(id);
    if (job.row.pool != pool) continue;
    auto& of_owner = work[job.row.owner];
    place[id] = of_owner.size();
    of_owner.push_back(
        {job.spec().priority, job.row.queue_order, usage_of(job.resources(), job.spec().nodes)});
  }
  std::map<std::string, std::vector<bool>> lent;
  for (auto const& [owner, all] : work) lent[owner] = borrowed(ledger_.quota(pool, owner), all);
  for (auto& r : running) r.borrowed = lent.at(r.owner).at(place.at(r.job));
}

}  // namespace lepton::deployer
