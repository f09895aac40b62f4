// The entrances of services, and what is seen there: the balancer is brought to the state that the
// rows want, at each change and once a second; what it counts goes to the scaler, whose number
// comes back with the answer.

#include <algorithm>

#include "schemas/scaler.hpp"
#include "services/deployer/deployer.hpp"
#include "services/deployer/views.hpp"

namespace lepton::deployer {
namespace {

constexpr TimeMs ask_again_ms = 2'000;
constexpr TimeMs unscaled_again_ms = 10'000;
constexpr TimeMs put_again_ms = 10'000;
constexpr TimeMs scaler_timeout_ms = 3'000;

}  // namespace

void Deployer::balance_soon(Context& c) {
  if (!balancer_) return;
  serving_.balance_again = true;
  if (std::exchange(serving_.balancing, true)) return;
  c.after(0, [this](Context& later) { balance(later); });
}

// As the balancer finds it; nothing where the node is simulated or the work has no port.
std::optional<BalancedServer> Deployer::server_of(Job const& job, Allocation const& held) const {
  auto const node = nodes_.find(held.node);
  if (node == nodes_.end() || node->second.is_simulated() || held.ports.empty())
    return std::nullopt;
  auto const& labels = node->second.row.labels;
  auto const address = labels.find("address");
  return BalancedServer{job.id().value, address == labels.end() ? "127.0.0.1" : address->second,
                        held.ports[0]};
}

// Ready replicas, and draining ones until their end.
std::vector<Entrance> Deployer::wanted_entrances() const {
  std::vector<Entrance> all;
  for (auto const& [name, s] : serving_.services) {
    if (s.row.port == 0) continue;
    Entrance entrance{s.row.port, {}, s.row.removing ? 0 : s.spec().hold_ms};
    for (auto const& [number, replica] : s.replicas) {
      auto const state = replica_state(replica);
      auto const& job = jobs_.at(replica.job);
      if ((state != ReplicaState::ready && state != ReplicaState::draining) ||
          replica.round != job.run.round || job.allocations.empty())
        continue;
      auto server = server_of(job, job.allocations[0]);
      if (!server) continue;
      server->draining = state == ReplicaState::draining;
      entrance.servers.push_back(std::move(*server));
    }
    all.push_back(std::move(entrance));
  }
  return all;
}

// A replica that was ready does, in the round in which it was.
bool Deployer::stands_behind_entrance(Job const& job) const {
  auto const found = serving_.replicas.find(job.id());
  if (!balancer_ || found == serving_.replicas.end()) return false;
  auto const& replica = serving_.services.at(found->second.first).replicas.at(found->second.second);
  return replica.round == job.run.round && replica.ready_at_ms > 0;
}

void Deployer::balance(Context& c) {
  serving_.balance_again = false;
  serving_.balanced_at = c.now();
  auto wanted = std::make_shared<std::vector<Entrance>>(wanted_entrances());
  auto seen = std::make_shared<Result<std::vector<EntranceLoad>>>(std::vector<EntranceLoad>{});
  c.work([balancer = balancer_, wanted, seen] { *seen = balancer->reconcile(*wanted); },
         [this, wanted, seen, vacated = vacated_.holders()](Context& later) {
           serving_.balancing = false;
           balanced(*wanted, *seen, later);
           if (*seen && vacated_.free(vacated, **seen, later)) pass(later);
           if (serving_.balance_again) balance_soon(later);
         });
}

void Deployer::balanced(std::vector<Entrance> const& wanted,
                        Result<std::vector<EntranceLoad>> const& seen, Context& c) {
  auto const trouble = seen ? std::string() : seen.error().what;
  if (trouble != serving_.balancer_trouble)
    c.log(seen ? actor::Level::info : actor::Level::warning,
          seen ? "the balancer answers" : "the balancer does not do its work: " + trouble);
  serving_.balancer_trouble = trouble;
  if (!seen) return;
  std::set<std::string> busy;
  for (auto const& entrance : *seen) {
    note_load(entrance, c);
    for (auto const& server : entrance.servers)
      if (server.in_flight > 0) busy.insert(server.name);
  }
  for (auto const& entrance : wanted)
    for (auto const& server : entrance.servers) {
      auto const found = serving_.replicas.find(JobId{server.name});
      if (!server.draining || busy.contains(server.name) || found == serving_.replicas.end())
        continue;
      serving_.drained.insert(found->first);
      touch(found->second.first, c);
    }
}

// A count that has fallen began anew with the balancer.
void Deployer::note_load(EntranceLoad const& load, Context& c) {
  for (auto& [name, s] : serving_.services) {
    if (s.row.port != load.port) continue;
    auto const passed = c.now() - s.seen_at;
    s.in_flight = static_cast<double>(load.in_flight);
    s.holds = load.holds;
    if (s.requests && passed < settings_.balance_every_ms / 2) return wake(s, c);
    auto const before = s.requests.value_or(load.requests);
    auto const more = load.requests >= before ? load.requests - before : load.requests;
    if (s.requests)
      s.requests_per_s = static_cast<double>(more) * 1000.0 / static_cast<double>(passed);
    s.requests = load.requests;
    s.seen_at = c.now();
    return wake(s, c);
  }
}

// A request waits for a first replica: the scaler hears of it at once.
void Deployer::wake(ServiceState& s, Context& c) {
  if (s.row.wanted > 0 || s.in_flight.value_or(0) == 0 || s.waits_for_scaling()) return;
  s.ask_at = std::min(s.ask_at, c.now());
  tell_scaler(s, c);
}

// One question at a time: how it is to be scaled, when that has changed; else what it does now.
void Deployer::tell_scaler(ServiceState& s, Context& c) {
  if (s.asking || c.now() < s.ask_at || s.row.removing) return;
  s.asking = true;
  s.ask_at = c.now() + settings_.report_every_ms;
  auto const name = s.row.service;
  auto const puts = s.row.scaling_due && c.now() >= s.put_at;
  if (puts && s.spec().scale) {
    ServiceScalePut const put{name, *s.spec().scale, s.row.wanted};
    return c.ask("scaler", put, scaler_timeout_ms,
                 [this, name, revision = s.row.revision](Result<ScaleWanted> got, Context& later) {
                   scaling_told(name, revision, got, later);
                 });
  }
  if (puts)
    return c.ask(
        "scaler", ServiceScaleRemove{name}, scaler_timeout_ms,
        [this, name, revision = s.row.revision](Result<ServiceUnscaled> got, Context& later) {
          auto const gone = !got && got.error().code == Code::not_found;
          scaling_told(name, revision,
                       got || gone ? Result<ScaleWanted>(ScaleWanted{}) : got.error(), later);
        });
  report_service(s, c);
}

void Deployer::scaling_told(std::string const& name, std::uint32_t revision,
                            Result<ScaleWanted> const& got, Context& c) {
  auto const found = serving_.services.find(name);
  if (found == serving_.services.end()) return;
  auto& s = found->second;
  s.asking = false;
  auto const refused = !got && got.error().code == Code::invalid;
  auto const for_now = !got && got.error().code == Code::conflict;
  s.trouble = got ? "" : "the scaler does not scale it: " + got.error().what;
  if (!got && !refused) s.ask_at = c.now() + (for_now ? 0 : ask_again_ms);
  s.put_at = for_now ? c.now() + put_again_ms : 0;
  if (s.row.revision != revision || (!got && !refused)) return;
  s.row.scaling_due = false;
  s.row.scaled = got && s.spec().scale.has_value();
  c.upsert(s.row);
}

void Deployer::report_service(ServiceState& s, Context& c) {
  ServiceReport report;
  report.service = s.row.service;
  for (auto const& r : replicas_of(s))
    report.ready += r.state == ReplicaState::ready && !r.silent ? 1 : 0;
  if (s.is_scaled_by_use()) {
    auto const use = total_use(s.spec().scale->signal, measured(s, c.now()));
    (s.spec().scale->signal == ScaleSignal::cpu ? report.cpu : report.gpu) = use.total;
    report.silent = use.silent;
  }
  if (c.now() - s.seen_at < 3 * settings_.balance_every_ms) {
    report.requests_per_s = s.requests_per_s;
    report.concurrency = s.in_flight;
  }
  c.ask("scaler", report, scaler_timeout_ms,
        [this, name = s.row.service](Result<ScaleWanted> got, Context& later) {
          auto const found = serving_.services.find(name);
          if (found == serving_.services.end()) return;
          found->second.asking = false;
          take_wanted(found->second, got, later);
        });
}

void Deployer::take_wanted(ServiceState& s, Result<ScaleWanted> const& got, Context& c) {
  if (s.row.removing || s.waits_for_scaling()) return;
  auto const before = s.row;
  if (got) {
    s.row.scaled = true;
    s.row.wanted = std::clamp(got->wanted, s.spec().min, s.spec().max);
  } else if (got.error().code == Code::not_found) {
    s.row.scaled = false;
    s.ask_at = c.now() + unscaled_again_ms;
    // Nobody would wake it any more.
    s.row.wanted = std::max(s.row.wanted, 1u);
  }
  if (s.row == before) return;
  c.upsert(s.row);
  if (s.row.wanted == before.wanted) return;
  auto event = own_event("service/" + s.row.service, "deployer.service.scaled", AuditOutcome::done);
  event.detail = {{"from", std::to_string(before.wanted)},
                  {"wanted", std::to_string(s.row.wanted)},
                  {"why", got ? "the scaler decided" : "nobody scales it any more"}};
  c.audit(std::move(event));
  touch(s.row.service, c);
}

// The last replica has ended; the scaler is told, then the rows go.
void Deployer::forget_service(ServiceState& s, Context& c) {
  auto const name = s.row.service;
  if (!s.row.scaled && !s.row.scaling_due) {
    for (auto const& [number, revision] : s.revisions) c.erase(revision);
    c.erase(s.row);
    serving_.services.erase(name);
    return balance_soon(c);
  }
  if (s.asking || c.now() < s.ask_at) return;
  s.asking = true;
  s.ask_at = c.now() + ask_again_ms;
  c.ask("scaler", ServiceScaleRemove{name}, scaler_timeout_ms,
        [this, name](Result<ServiceUnscaled> got, Context& later) {
          auto const found = serving_.services.find(name);
          if (found == serving_.services.end()) return;
          found->second.asking = false;
          if (!got && got.error().code != Code::not_found) return;
          found->second.row.scaled = found->second.row.scaling_due = false;
          later.upsert(found->second.row);
          touch(name, later);
        });
}

}  // namespace lepton::deployer
