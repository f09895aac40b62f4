// What people ask of the deployer about services.

#include <algorithm>

#include "schemas/vault.hpp"
#include "services/deployer/core/service_check.hpp"
#include "services/deployer/deployer.hpp"
#include "services/deployer/views.hpp"

namespace lepton::deployer {
namespace {

constexpr std::size_t services_max = 1'000;

Error not_there(std::string const& service) {
  return {Code::not_found,
          "there is no service '" + service + "'; `lepton service list` shows all"};
}

std::string_view word_of(ServiceState const& s, bool rolled_out) {
  if (s.row.removing) return "removing";
  if (!s.row.stalled.empty()) return "stalled";
  if (s.is_idle()) return "idle";
  if (rolled_out) return "steady";
  return s.row.proven == s.row.template_number ? "scaling" : "rolling out";
}

}  // namespace

Result<ServiceState*> Deployer::find_service(std::string const& service) {
  auto const found = serving_.services.find(service);
  if (found == serving_.services.end()) return not_there(service);
  return &found->second;
}

// The lowest free entrance, or the one that was asked for.
Result<std::uint32_t> Deployer::choose_entrance(ServiceSpec const& spec) const {
  std::set<std::uint32_t> taken;
  for (auto const& [name, s] : serving_.services)
    if (name != spec.name) taken.insert(s.row.port);
  auto const first = settings_.entrance_first, count = settings_.entrance_count;
  if (spec.port != 0) {
    if (spec.port < first || spec.port >= first + count)
      return Error{Code::invalid, count == 0
                                      ? "port: this installation has no entrances; leave port out"
                                      : "port: the entrances are " + std::to_string(first) +
                                            " to " + std::to_string(first + count - 1)};
    if (taken.contains(spec.port))
      return Error{Code::conflict, "port: " + std::to_string(spec.port) +
                                       " is the entrance of another service; leave port out to "
                                       "get a free one"};
    return spec.port;
  }
  auto const known = serving_.services.find(spec.name);
  if (known != serving_.services.end() && known->second.row.port != 0)
    return known->second.row.port;
  for (auto port = first; port < first + count; ++port)
    if (!taken.contains(port)) return port;
  if (count == 0 || spec.task.resources.ports == 0) return 0u;
  return Error{Code::exhausted, "port: all " + std::to_string(count) +
                                    " entrances are in use; remove a service first"};
}

Status Deployer::check_apply(ServiceSpec const& spec) const {
  if (auto good = check_service(spec); !good) return good;
  auto const known = serving_.services.find(spec.name);
  if (known != serving_.services.end() && known->second.row.removing)
    return Error{Code::conflict, "service " + spec.name + " is being removed; wait for its end"};
  if (known == serving_.services.end() && serving_.services.size() >= services_max)
    return Error{Code::exhausted, "there are 1,000 services, which is the limit"};
  auto const port = choose_entrance(spec);
  if (!port) return port.error();
  if (spec.min == 0 && *port == 0)
    return Error{Code::invalid,
                 "replicas.min: 0 needs an entrance where requests wait, and this installation has "
                 "none; install haproxy and start again, or write min: 1"};
  return ok();
}

void Deployer::apply_service(ServiceApply const& m, Ticket<ServiceApply> ticket, Context& c) {
  auto const leader = m.spec.scale ? m.spec.scale->adjustment.follows : "";
  // The scaler knows the deployer only, and a share counts against the whole group.
  if (!leader.empty())
    if (auto may = c.allow(Verb::write, "service/" + leader); !may)
      return c.answer(ticket, may.error());
  c.acts_on(m.resource());
  consider(m.spec, "applied", ticket, c);
}

void Deployer::revert_service(ServiceRevert const& m, Ticket<ServiceRevert> ticket, Context& c) {
  auto const found = find_service(m.service);
  if (!found) return c.answer(ticket, found.error());
  auto const number = revert_target(**found, m.revision);
  if (number == 0)
    return c.answer(
        ticket, Error{Code::not_found, m.revision == 0
                                           ? "service " + m.service + " never had another template"
                                           : "revision " + std::to_string(m.revision) +
                                                 " is not kept; see `lepton service history " +
                                                 m.service + "`"});
  auto spec = (*found)->spec();
  spec.task = (*found)->revisions.at(number).spec.task;
  consider(spec, "revert to revision " + std::to_string(number), ticket, c);
}

// A template with secrets is taken in only when who applies it may read them now; they are read
// again at each start.
template <class M>
void Deployer::consider(ServiceSpec const& spec, std::string const& note, Ticket<M> ticket,
                        Context& c) {
  if (auto good = check_apply(spec); !good) return c.answer(ticket, good.error());
  if (!has_secrets(spec.task)) return take_revision(spec, note, ticket, c);
  SecretCheck check;
  check.who = submitter(c.caller());
  check.secrets = secrets_of(spec.task);
  c.ask("vault", check, 10'000,
        [this, spec, note, ticket](Result<SecretsChecked> checked, Context& later) {
          if (!checked) return later.answer(ticket, checked.error());
          if (auto good = check_apply(spec); !good) return later.answer(ticket, good.error());
          take_revision(spec, note, ticket, later);
        });
}

template <class M>
void Deployer::take_revision(ServiceSpec const& spec, std::string const& note, Ticket<M> ticket,
                             Context& c) {
  auto* call = c.open_call(ticket);
  if (call == nullptr) return;  // its deadline has passed, and it was refused
  auto const& caller = call->request.caller;
  if (auto here = folders_.check(caller.name, spec.task.workdir); !here)
    return c.answer(ticket, here.error());
  auto& s = serving_.services[spec.name];
  auto const fresh = s.revisions.empty();
  auto const same =
      !fresh && s.spec() == spec && s.revision().owner == caller.name && s.row.stalled.empty();
  if (same) return c.answer(ticket, applied(s, false));
  folders_.use(caller.name, spec.task.workdir, c);
  auto const old_scale = fresh ? std::nullopt : s.spec().scale;
  RevisionRow revision{spec.name,
                       s.revisions.empty() ? 1 : s.revisions.rbegin()->first + 1,
                       0,
                       spec,
                       caller.name,
                       caller.policies,
                       caller.token,
                       c.wall(),
                       note};
  revision.template_number = revision.revision;
  // A template that is known keeps its number, and its replicas may stay; one that has stalled is
  // tried anew.
  for (auto const& [number, old] : s.revisions)
    if (old.spec.task == spec.task && old.owner == caller.name &&
        (s.row.stalled.empty() || old.template_number != s.row.template_number))
      revision.template_number = old.template_number;
  if (fresh) s.row = {spec.name};
  s.row.port = *choose_entrance(spec);
  // The first template proves itself at once, also where an idle service has no replica.
  s.row.wanted = std::clamp(fresh ? 1 : s.row.wanted, spec.min, spec.max);
  s.row.revision = revision.revision;
  if (s.row.template_number != revision.template_number || !s.row.stalled.empty())
    s.row.failures = 0, s.row.not_before_ms = 0, s.row.stalled.clear();
  s.row.template_number = revision.template_number;
  if (spec.scale != old_scale) s.row.scaling_due = true, s.ask_at = s.put_at = 0;
  c.append(revision);
  s.revisions.emplace(revision.revision, std::move(revision));
  for (auto const number : outlived_revisions(s)) {
    c.erase(s.revisions.at(number));
    s.revisions.erase(number);
  }
  c.upsert(s.row);
  call->detail["revision"] = std::to_string(s.row.revision);
  touch(spec.name, c);
  c.answer(ticket, applied(s, true));
}

ServiceApplied Deployer::applied(ServiceState const& s, bool changed) const {
  return {s.row.service, s.row.revision, s.row.port, s.row.wanted, changed};
}

Result<ServiceApplied> Deployer::resize_service(ServiceResize const& m, Context& c) {
  auto found = find_service(m.service);
  if (!found) return found.error();
  auto& s = **found;
  if (s.row.removing) return Error{Code::conflict, "service " + m.service + " is being removed"};
  if (s.row.scaled)
    return Error{Code::conflict, "the scaler decides how many replicas service " + m.service +
                                     " has; `lepton service release " + m.service + "` ends that"};
  if (m.replicas < s.spec().min || m.replicas > s.spec().max)
    return Error{Code::invalid,
                 "replicas: service " + m.service + " has from " + std::to_string(s.spec().min) +
                     " to " + std::to_string(s.spec().max) + "; apply it with other limits first"};
  if (m.replicas == 0)
    return Error{Code::invalid,
                 "replicas: 0 needs a scaler, which starts the first one again; apply the service "
                 "with scale"};
  auto const changed = s.row.wanted != m.replicas;
  c.note("from", std::to_string(s.row.wanted));
  c.note("wanted", std::to_string(m.replicas));
  s.row.wanted = m.replicas;
  c.upsert(s.row);
  touch(m.service, c);
  return applied(s, changed);
}

Result<ServiceRemoved> Deployer::remove_service(ServiceRemove const& m, Context& c) {
  auto found = find_service(m.service);
  if (!found) return found.error();
  auto& s = **found;
  s.row.removing = true;
  c.upsert(s.row);
  touch(m.service, c);
  return ServiceRemoved{m.service, static_cast<std::uint32_t>(s.replicas.size())};
}

ServiceLine Deployer::line_of(ServiceState const& s, Context& c) const {
  auto const replicas = replicas_of(s);
  ServiceLine line;
  line.service = s.row.service;
  line.owner = s.revision().owner;
  for (auto const& r : replicas) line.ready += r.state == ReplicaState::ready ? 1 : 0;
  line.wanted = s.row.removing ? 0 : s.row.wanted;
  line.revision = s.row.revision;
  if (s.row.port != 0) line.address = settings_.entrance_address + ":" + std::to_string(s.row.port);
  line.state = word_of(s, is_rolled_out(s.target(instant(c).wall_ms), replicas));
  line.requests_per_s = s.requests_per_s;
  line.in_flight = s.in_flight;
  return line;
}

Result<ServiceView> Deployer::show_service(ServiceShow const& m, Context& c) {
  auto found = find_service(m.service);
  if (!found) return found.error();
  auto const& s = **found;
  ServiceView view{line_of(s, c), s.spec(), s.row.stalled, {}};
  if (view.why.empty() && s.row.failures > 0)
    view.why = std::to_string(s.row.failures) + " replicas have failed one after another";
  if (view.why.empty()) view.why = s.trouble;
  if (view.why.empty() && s.row.port != 0) view.why = serving_.balancer_trouble;
  if (view.why.empty() && s.is_idle())
    view.why = s.holds
                   ? "no replica runs: the first request starts one, and waits for it at most " +
                         std::to_string(s.spec().hold_ms) + " ms"
                   : "no replica runs, and this balancer holds no request that could start "
                     "one; start HAProxy with the configuration of `lepton up`";
  for (auto const& [number, replica] : s.replicas) {
    ReplicaView v{replica.job, number, replica.template_number, replica_state(replica)};
    auto const& job = jobs_.at(replica.job);
    v.started_at_ms = job.started_at_ms;
    v.why = why_now(job);
    if (!job.allocations.empty()) {
      v.node = job.allocations[0].node;
      if (!job.allocations[0].ports.empty()) v.port = job.allocations[0].ports[0];
    }
    view.replicas.push_back(std::move(v));
  }
  return view;
}

Result<ServicePage> Deployer::list_services(ServiceList const& m, Context& c) {
  ServicePage page{{}, serving_.services.size()};
  for (auto const& [name, s] : serving_.services)
    if (page.services.size() < m.limit) page.services.push_back(line_of(s, c));
  return page;
}

Result<RevisionPage> Deployer::service_history(ServiceHistory const& m, Context&) {
  auto found = find_service(m.service);
  if (!found) return found.error();
  RevisionPage page;
  auto const& all = (*found)->revisions;
  for (auto it = all.rbegin(); it != all.rend(); ++it)
    page.revisions.push_back(
        {it->first, it->second.applied_at_ms, it->second.owner, it->second.note, it->second.spec});
  return page;
}

}  // namespace lepton::deployer
