#include "services/scaler/scaler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "common/base/text.hpp"
#include "services/scaler/core/adjustment.hpp"

namespace lepton::scaler {
namespace {

Result<std::unique_ptr<Policy>> policy_of(ScaleSettings const& s) {
  if (auto good = check(s.limits); !good) return good.error();
  if (s.policy != "adjustment" && s.adjustment != ScaleAdjustment{})
    return Error{Code::invalid, "adjustment: belongs to the policy adjustment, not to " + s.policy};
  return make_policy(s.policy, {s.signal, s.per_replica},
                     {s.window_ms, s.limits.zero_after_ms, s.adjustment});
}

std::string path_of(std::string const& service) {
  return "service/" + service;
}

// Named after the service whose signal all of it follow.
std::string group_of(std::string const& service, ScaleSettings const& s) {
  return s.adjustment.follows.empty() ? service : s.adjustment.follows;
}

// Times of one clock as times of the other; the difference is that of now.
std::vector<PastChange> to_wall(std::vector<Change> const& changes, std::int64_t difference) {
  std::vector<PastChange> out;
  for (auto const& c : changes) out.push_back({c.at_ms + difference, c.added, c.removed});
  return out;
}

}  // namespace

Scaler::Scaler(Settings settings) : settings_(settings) {
  on<ServiceScalePut>(&Scaler::put);
  on<ServiceScale>(&Scaler::scale);
  on<ServiceScaleRemove>(&Scaler::remove);
  on<ServiceReport>(&Scaler::report);
  on<ServiceExplain>(&Scaler::explain);
  on<ScaledServiceList>(&Scaler::list);
}

std::vector<store::Table const*> Scaler::tables() const {
  return {&store::table_of<ScalingRow>()};
}

void Scaler::restore(actor::Rows const& rows) {
  for (auto& row : rows.of<ScalingRow>()) {
    if (row.removed) {
      removed_[row.service] = row.number;
      continue;
    }
    auto policy = policy_of(row.settings);
    if (!policy)
      throw std::runtime_error("the stored scaling of service '" + row.service +
                               "' is not valid: " + policy.error().what);
    auto& service = services_[row.service];
    service.policy = std::move(*policy);
    service.row = std::move(row);
  }
}

void Scaler::start(Context& c) {
  auto const difference = c.wall() - c.now();
  for (auto& [name, service] : services_) {
    service.memory = Memory::after_loss(service.row.wanted, c.now());
    for (auto const& past : service.row.changes)
      // A wall clock that was set back must not make changes lie in the future.
      service.memory.changes.push_back(
          {std::min(past.at_ms - difference, c.now()), past.added, past.removed});
  }
  c.after(settings_.look_every_ms, [this](Context& later) { round("", later); });
}

Result<std::string> Scaler::snapshot(std::string_view stream) {
  if (stream != stream_name) return Actor::snapshot(stream);
  ScalingSnapshot all;
  for (auto const& [name, service] : services_)
    all.services.push_back({name, service.row.wanted, service.row.number});
  return codec::encode(all);
}

std::map<std::string, std::int64_t> Scaler::counters() const {
  return {{"services", static_cast<std::int64_t>(services_.size())},
          {"decisions", decisions_},
          {"changes", changes_},
          {"reports", reports_}};
}

ScaleWanted Scaler::wanted_of(Service const& service) {
  return {service.row.wanted, service.row.number};
}

Result<Scaler::Service*> Scaler::find(std::string const& name) {
  auto const found = services_.find(name);
  if (found != services_.end()) return &found->second;
  return Error{Code::not_found, fmt::format("no service '{}' is scaled here", name)};
}

Result<ScaleWanted> Scaler::put(ServiceScalePut const& m, Context& c) {
  if (!text::is_dns_label(m.service))
    return Error{Code::invalid,
                 "service: '" + m.service + "' must be a DNS label: a-z, 0-9 and '-', at most 63"};
  auto const& leader = m.settings.adjustment.follows;
  if (!leader.empty() && !text::is_dns_label(leader))
    return Error{Code::invalid, "adjustment.follows: '" + leader + "' is no name of a service"};
  // Its share counts against the group.
  if (auto may = leader.empty() ? ok() : c.allow(Verb::write, path_of(leader)); !may)
    return may.error();
  c.acts_on(path_of(m.service));
  auto policy = policy_of(m.settings);
  if (!policy) return policy.error();
  auto const shares = shares_with(m);
  if (!shares) return shares.error();
  auto const known = services_.contains(m.service);
  if (!known && !removed_.contains(m.service) &&
      services_.size() + removed_.size() >= settings_.services_max)
    return Error{Code::exhausted, fmt::format("{} services are scaled here; remove one first",
                                              settings_.services_max)};
  auto& service = services_[m.service];
  service.policy = std::move(*policy);
  service.due_at = 0;
  auto const& limits = m.settings.limits;
  if (!known) service.row = {m.service, {}, m.replicas.value_or(0), 0, {}, false};
  if (auto const old = removed_.find(m.service); old != removed_.end()) {
    service.row.number = old->second;
    removed_.erase(old);
  }
  service.row.settings = m.settings;
  auto const first = m.replicas.value_or(limits.min);
  auto const wanted = std::clamp(known ? service.row.wanted : first, limits.min, limits.max);
  auto past = std::move(service.memory.changes);
  service.memory = Memory::after_loss(wanted, c.now());
  service.memory.changes = std::move(past);
  auto reason = fmt::format("{} put its scaling", c.caller().name);
  if (*shares < 1 - 1e-9) reason += fmt::format("; its group has shares of {:.9g} so far", *shares);
  by_hand(service, wanted, std::move(reason), c);
  return wanted_of(service);
}

// Of the group of a service once it is scaled so; 1 where there is no group.
Result<double> Scaler::shares_with(ServiceScalePut const& m) const {
  if (m.settings.policy != "adjustment") return 1.0;
  auto const group = group_of(m.service, m.settings);
  std::vector<double> shares{m.settings.adjustment.share};
  for (auto const& [name, service] : services_) {
    auto const& s = service.row.settings;
    if (name != m.service && s.policy == "adjustment" && group_of(name, s) == group)
      shares.push_back(s.adjustment.share);
  }
  return sum_of_shares(shares);
}

Result<ScaleWanted> Scaler::scale(ServiceScale const& m, Context& c) {
  auto found = find(m.service);
  if (!found) return found.error();
  auto& service = **found;
  auto const& limits = service.row.settings.limits;
  if (m.replicas < limits.min || m.replicas > limits.max)
    return Error{Code::invalid,
                 fmt::format("{} replicas are outside the limits of service '{}', {} to {}; change "
                             "its limits first",
                             m.replicas, m.service, limits.min, limits.max)};
  by_hand(service, m.replicas, fmt::format("{} asked for {}", c.caller().name, m.replicas), c);
  return wanted_of(service);
}

Result<ServiceUnscaled> Scaler::remove(ServiceScaleRemove const& m, Context& c) {
  auto found = find(m.service);
  if (!found) return found.error();
  auto& row = (*found)->row;
  ServiceUnscaled const last{row.wanted};
  row.removed = true;
  c.upsert(row);
  removed_[m.service] = row.number;
  services_.erase(m.service);
  return last;
}

Result<ScaleWanted> Scaler::report(ServiceReport const& m, Context& c) {
  auto found = find(m.service);
  if (!found) return found.error();
  if (m.silent > m.ready)
    return Error{Code::invalid, fmt::format("{} silent of {} ready replicas", m.silent, m.ready)};
  std::pair<Signal, std::optional<double>> const values[] = {
      {Signal::requests_per_s, m.requests_per_s},
      {Signal::concurrency, m.concurrency},
      {Signal::cpu, m.cpu},
      {Signal::gpu, m.gpu}};
  for (auto const& [signal, value] : values)
    if (value)
      if (auto good = check_range(schema::name_of(signal), *value, 0, 1e12); !good)
        return good.error();
  auto& service = **found;
  // A second report within the same millisecond adds no sample; its state counts.
  for (auto const& [signal, value] : values)
    if (value) service.signals[signal].add(c.now(), *value);
  service.ready = m.ready;
  service.silent = m.silent;
  service.reported_at = c.now();
  service.reported_wall = c.wall();
  ++reports_;
  // Somebody waits, and nothing runs: the first replica does not wait for the policy's pace.
  auto const waits = m.requests_per_s.value_or(0) > 0 || m.concurrency.value_or(0) > 0;
  if (waits && service.row.wanted == 0) look(service, c);
  return wanted_of(service);
}

void Scaler::explain(ServiceExplain const& m, actor::Ticket<ServiceExplain> ticket, Context& c) {
  auto found = find(m.service);
  if (!found) return c.answer(ticket, found.error());
  auto const& s = **found;
  ServiceExplanation told{
      m.service, s.row.settings, s.row.wanted, s.ready, s.reported_wall, s.newest, {}};
  if (m.limit == 0) return c.answer(ticket, told);
  store::Query query{
      nullptr, {{"service", store::Compare::equal, m.service}}, "number", true, m.limit};
  c.find<ScaleDecision>(std::move(query),
                        [ticket, told = std::move(told)](
                            Result<std::vector<ScaleDecision>> const& rows, Context& later) {
                          if (!rows) return later.answer(ticket, rows.error());
                          auto full = told;
                          full.changes = *rows;
                          later.answer(ticket, full);
                        });
}

Result<ScaledServicePage> Scaler::list(ScaledServiceList const& m, Context&) {
  ScaledServicePage page{{}, services_.size()};
  for (auto i = services_.upper_bound(m.after);
       i != services_.end() && page.services.size() < m.limit; ++i) {
    auto const& s = i->second;
    page.services.push_back({i->first, s.row.settings, s.row.wanted, s.ready, s.reported_wall});
  }
  return page;
}

// All that is due, in slices, beginning with the name `from`; then a pause.
void Scaler::round(std::string const& from, Context& c) {
  std::size_t looks = 0;
  for (auto i = services_.lower_bound(from); i != services_.end(); ++i) {
    if (!is_due(i->second, c.now())) continue;
    if (looks++ == settings_.looks_max)
      return c.after(0, [this, next = i->first](Context& later) { round(next, later); });
    look(i->second, c);
  }
  c.after(settings_.look_every_ms, [this](Context& later) { round("", later); });
}

bool Scaler::is_due(Service const& service, TimeMs now) const {
  return service.due_at <= now && is_heard(service, now);
}

bool Scaler::is_heard(Service const& service, TimeMs now) const {
  return service.reported_at && now - *service.reported_at <= settings_.report_valid_ms;
}

// Of the service that it follows, if any; silence while nothing is heard of that.
Signals const* Scaler::leader_of(Service const& service, TimeMs now) const {
  static Signals const silence;
  auto const& leader = service.row.settings.adjustment.follows;
  if (leader.empty()) return nullptr;
  auto const found = services_.find(leader);
  auto const heard = found != services_.end() && is_heard(found->second, now);
  return heard ? &found->second.signals : &silence;
}

void Scaler::look(Service& service, Context& c) {
  service.due_at = c.now() + service.policy->period_ms();
  auto const replicas = service.row.wanted;
  auto const starting = replicas > service.ready ? replicas - service.ready : 0;
  auto decision = decide(*service.policy, service.row.settings.limits, service.memory,
                         {replicas, service.ready, starting, service.silent, service.signals,
                          leader_of(service, c.now())},
                         c.now());
  ++decisions_;
  auto const changed = decision.wanted != decision.before;
  commit(service, std::move(decision), c);
  if (!changed) return;
  AuditEvent event;
  event.actor = "scaler";
  event.action = ServiceScaled::topic;
  event.resource = path_of(service.row.service);
  event.outcome = AuditOutcome::done;
  event.detail = {{"from", std::to_string(service.newest->before)},
                  {"wanted", std::to_string(service.newest->wanted)},
                  {"why", service.newest->reason}};
  c.audit(std::move(event));
}

// The request itself is audited by the host.
void Scaler::by_hand(Service& service, std::uint32_t wanted, std::string reason, Context& c) {
  auto const& settings = service.row.settings;
  ScaleDecision d;
  d.policy = "manual";
  d.before = service.row.wanted;
  d.wanted = d.proposed = wanted;
  d.reason = std::move(reason);
  d.signal = settings.signal;
  d.per_replica = settings.per_replica;
  d.ready = service.ready;
  d.starting = d.before > d.ready ? d.before - d.ready : 0;
  d.silent = service.silent;
  service.memory.change(c.now(), d.before, d.wanted);
  c.note("from", std::to_string(d.before));
  c.note("wanted", std::to_string(d.wanted));
  commit(service, std::move(d), c);
  if (service.row.wanted == service.newest->before) c.upsert(service.row);
}

// Keeps the decision; one that changed the number becomes durable and is told.
void Scaler::commit(Service& service, ScaleDecision decision, Context& c) {
  auto& row = service.row;
  auto const changed = decision.wanted != decision.before;
  if (changed) ++row.number, ++changes_;
  decision.service = row.service;
  decision.number = row.number;
  decision.at_ms = c.wall();
  row.wanted = decision.wanted;
  service.newest = std::move(decision);
  if (!changed) return;
  row.changes = to_wall(service.memory.changes, c.wall() - c.now());
  c.append(*service.newest);
  c.upsert(row);
  c.emit(stream_name, ServiceScaled{row.service, row.wanted, row.number});
}

}  // namespace lepton::scaler
