// Nodes and their syncs. A sync is a heartbeat, a report of all attempts, and a question for orders
// in one.

#include <algorithm>

#include "services/deployer/core/gang.hpp"
#include "services/deployer/deployer.hpp"
#include "services/deployer/views.hpp"

namespace lepton::deployer {
Status Deployer::upsert_node(NodeLink& link, Context&) {
  return cluster_.upsert_node(slices_.spec_of(link));
}

void Deployer::set_node_state(NodeLink& link, NodeState state, Context& c, std::string const& why) {
  if (link.row.state == state) return;
  auto const was = link.row.state;
  link.row.state = state;
  auto const set = cluster_.set_state(link.row.node, slices_.spec_of(link).state);
  LEPTON_CHECK(set.has_value(), "a linked node is not in the cluster");
  c.upsert(link.row);
  slices_.machine_changed(link.row.node, c);
  c.audit(own_event("node/" + link.row.node.value, "deployer.node.state", AuditOutcome::done,
                    std::string(schema::name_of(was)) + " to " +
                        std::string(schema::name_of(state)) + (why.empty() ? "" : "; " + why)));
  more_to_place_ = true;
}

// Of a node that is heard: new work goes there unless something speaks against it.
void Deployer::note_health(NodeLink& link, Context& c) {
  if (link.is_simulated() || link.row.slice || link.silent || link.row.state == NodeState::draining)
    return;
  auto const* doubt = node_watch_.doubt(link.row.node, link.heard_since, c.now());
  if (link.shrunk)
    return set_node_state(link, NodeState::suspect, c, "it offers less than is held");
  if (doubt == nullptr) return set_node_state(link, NodeState::ready, c);
  set_node_state(link, NodeState::suspect, c, "the monitor calls it " + *doubt);
}

void Deployer::sync(NodeSync const& m, Ticket<NodeSync> ticket, Context& c) {
  if (c.caller().name != m.node.value && c.caller().door == actor::Door::client)
    return c.answer(ticket, Error{Code::denied, "a node may speak for itself only"});
  if (auto met = meet(m, c); !met) return c.answer(ticket, met.error());
  auto& link = nodes_.at(m.node);
  // The node obeys the newest answer only: nothing that is said once may go into an older one.
  // The same sync sent again replaces its first copy, which needs no answer of its own, and waits
  // no longer than that would have.
  auto const older = std::exchange(link.parked, std::nullopt);
  auto const again = older && link.parked_number == m.number;
  if (older && !again) {
    NodeOrders nothing;
    nothing.state = link.row.state;
    c.answer(*older, Result<NodeOrders>(std::move(nothing)));
  }
  link.strays.clear();
  link.unprobed.clear();
  take_reports(m, c);
  for (auto const& part : m.logs) take_log(m.node, part, c);
  relay_.take(m, c);
  if (more_to_place_) pass(c);
  std::set<AttemptId> known;
  for (auto const& report : m.reports) known.insert(report.attempt);
  for (auto const& attempt : cluster_.holders_on_machine(m.node)) {
    auto const* member = member_of(attempt);
    if (member == nullptr || known.contains(attempt)) continue;
    auto const ref = parse_attempt(attempt);
    if (member->state == AttemptState::starting || member->state == AttemptState::running)
      link.strays.push_back(
          {attempt, task_id(ref->job, ref->index), "the node does not know it", true});
  }
  auto orders = orders_for(link, c);
  // A stop may take its grace: told again with each answer, but none is hurried for it.
  auto const news =
      !orders.starts.empty() || !orders.acknowledged.empty() || !orders.logs.empty() ||
      Relay::is_news(orders) || Execs::is_news(orders) ||
      std::any_of(orders.stops.begin(), orders.stops.end(),
                  [&](auto const& stop) { return !link.stops_told.contains(stop.attempt); }) ||
      std::any_of(orders.probes.begin(), orders.probes.end(),
                  [&](auto const& probe) { return !link.probes_told.contains(probe.attempt); }) ||
      orders.sizes != link.sizes_told;
  if (news || m.wait_ms == 0) return answer_sync(link, ticket, std::move(orders), c);
  link.parked = ticket;
  link.parked_number = m.number;
  if (!again) link.parked_until = c.now() + m.wait_ms;
  c.after(std::max<TimeMs>(0, link.parked_until - c.now()),
          [this, node = m.node, call = ticket.call](Context& later) {
            auto& waiting = nodes_.at(node);
            if (waiting.parked && waiting.parked->call == call) wake_node(node, later);
          });
}

// Takes the node in, or notes what is new about it.
Status Deployer::meet(NodeSync const& m, Context& c) {
  auto found = nodes_.find(m.node);
  if (found == nodes_.end()) {
    if (slices_.is_restricted(m.pool))
      return Error{Code::conflict, "pool " + m.pool.value +
                                       " is of slices that end or are for some only; give this "
                                       "machine another pool"};
    if (slices_.planned().has_part(m.node))
      return Error{Code::conflict, "node " + m.node.value +
                                       " is to be a slice later; give this machine another name"};
    if (nodes_.size() >= nodes_max)
      return Error{Code::exhausted, "the deployer has 20,000 nodes, which is its limit"};
    NodeLink link;
    link.row = {m.node,
                m.pool,
                std::string(process_engine),
                NodeState::ready,
                m.capacity,
                m.labels,
                std::int64_t(next_order_++),
                m.boot_id,
                c.wall(),
                {},
                {},
                {}};
    if (auto added = upsert_node(link, c); !added) return added;
    c.upsert(link.row);
    c.audit(own_event(m.resource(), "deployer.node.joined", AuditOutcome::done));
    found = nodes_.emplace(m.node, std::move(link)).first;
    more_to_place_ = true;
  }
  auto& link = found->second;
  if (link.is_simulated())
    return Error{Code::conflict, "node " + m.node.value + " is a simulated one"};
  if (link.row.slice)
    return Error{Code::conflict, "node " + m.node.value + " is a slice of machine " +
                                     link.row.slice->machine.value +
                                     "; give this machine another name"};
  if (auto fresh = check_age(link, m); !fresh) return fresh;
  link.heard_at = c.now();
  link.heard_at_ms = c.wall();
  link.leaving = m.leaving;
  if (link.row.boot_id != m.boot_id) reboot(link, m.boot_id, c);
  if (auto taken = take_offer(link, m, c); !taken) return taken;
  auto const again = std::exchange(link.silent, false) || link.first_sync;
  if (again) link.heard_since = c.now();
  note_health(link, c);
  if (again) {
    link.first_sync = false;
    for (auto const& id : jobs_on(m.node)) apply_event(jobs_.at(id), NodeHeard{m.node}, c);
  }
  return ok();
}

// Refuses a sync that others of its node have overtaken, also one of an earlier life of the daemon:
// taken for news, the boot that it names would end what runs now.
Status Deployer::check_age(NodeLink& link, NodeSync const& m) {
  constexpr std::size_t outlived_max = 16;
  auto const& old = link.outlived;
  if (link.incarnation == m.incarnation
          ? m.number < link.number
          : std::find(old.begin(), old.end(), m.incarnation) != old.end())
    return Error{Code::conflict, "an older sync; ignored"};
  if (link.incarnation != m.incarnation) {
    if (!link.incarnation.empty()) link.outlived.push_back(link.incarnation);
    if (link.outlived.size() > outlived_max) link.outlived.pop_front();
    link.stops_told.clear();
    link.probes_told.clear();
    link.sizes_told.clear();
  }
  link.incarnation = m.incarnation;
  link.number = m.number;
  return ok();
}

// A node that offers less than is held there (a GPU has failed, say) is heard all the same: what
// runs needs its leases and its end. It gets no new work until the offer can be taken.
Status Deployer::take_offer(NodeLink& link, NodeSync const& m, Context& c) {
  link.shrunk = false;
  // What runs there must not suffer from a wish for a pool that is others'.
  auto const& pool = slices_.is_restricted(m.pool) ? link.row.pool : m.pool;
  if (link.row.capacity == m.capacity && link.row.labels == m.labels && link.row.pool == pool)
    return ok();
  auto const before = link.row;
  link.row.capacity = m.capacity;
  link.row.labels = m.labels;
  link.row.pool = pool;
  if (auto changed = upsert_node(link, c); !changed) {
    link.row = before;
    link.shrunk = changed.error().code == Code::conflict;
    return link.shrunk ? ok() : changed;
  }
  c.upsert(link.row);
  slices_.machine_changed(m.node, c);
  more_to_place_ = true;
  return ok();
}

// Nothing survives a boot: what ran there is over.
void Deployer::reboot(NodeLink& link, std::string const& boot_id, Context& c) {
  link.row.boot_id = boot_id;
  c.upsert(link.row);
  for (auto const& id : jobs_on(link.row.node))
    apply_event(jobs_.at(id),
                NodeGone{link.row.node, "node " + link.row.node.value + " has rebooted"}, c);
}

void Deployer::take_reports(NodeSync const& m, Context& c) {
  for (auto const& report : m.reports) take_report(m.node, report, c);
}

void Deployer::take_report(NodeId const& node, AttemptReport const& report, Context& c) {
  auto& link = nodes_.at(node);
  auto* job = job_of(report.attempt);
  auto const* member = member_of(report.attempt);
  if (member == nullptr || member->node != node) {
    if (report.final)
      link.acknowledged.push_back(report.attempt);
    else
      link.strays.push_back({report.attempt, TaskId{}, "the control plane does not want it"});
    return;
  }
  apply_event(*job,
              Report{node, report.attempt, report.state, report.exit_code, report.signal,
                     report.reason, report.over_limit},
              c);
  replica_reported(report.attempt, report.readiness, c);
  if (job->resizing) take_size_report(*job, parse_attempt(report.attempt)->index, report.size, c);
  if (report.state == AttemptState::running && report.readiness == Readiness::unknown &&
      job->spec().probes.any())
    link.unprobed.insert(report.attempt);
  if (report.state != AttemptState::claimed) secrets_.erase(report.attempt);
  if (report.final) {
    link.acknowledged.push_back(report.attempt);
  } else {
    auto const* now = member_of(report.attempt);
    if (now == nullptr || is_final(now->state))
      link.strays.push_back({report.attempt, TaskId{}, "the control plane does not want it"});
  }
}

// Of the present round: the same for each of its tasks, whichever starts first.
std::vector<GangMember> Deployer::gang_of(Job const& job) const {
  if (job.spec().nodes < 2 && job.spec().nodes_max == 0) return {};
  std::vector<GangPlace> places;
  for (auto const& allocation : job.allocations) {
    auto const link = nodes_.find(allocation.node);
    places.push_back(
        {cluster_.machine_of(allocation.node),
         link == nodes_.end() ? std::map<std::string, std::string>{} : labels_of(link->second.row),
         job.spec().gang_port && !allocation.ports.empty() ? allocation.ports.back() : 0});
  }
  return gang_members(places, job.spec().nodes_max > 0);
}

void Deployer::order_starts(NodeId const& node, NodeOrders& orders) const {
  for (auto const& attempt : cluster_.holders_on_machine(node)) {
    auto const* found = member_of(attempt);
    if (found == nullptr) continue;
    auto const& member = *found;
    auto const ref = parse_attempt(attempt);
    auto const& job = jobs_.at(ref->job);
    auto const task = task_id(ref->job, ref->index);
    if (!member.stop_sent) orders.leases.push_back({attempt, job.spec().lease_ms});
    if (member.stop_sent) {
      orders.stops.push_back({attempt, task, job.run.ending.reason});
    } else if (member.state == AttemptState::claimed) {
      auto const secrets = secrets_.find(attempt);
      if (has_secrets(job.spec()) && secrets == secrets_.end()) continue;
      auto place = job.allocations.at(ref->index);
      place.node = node;
      auto seat = seat_of(job, ref->index);
      orders.starts.push_back({attempt, task, ref->job, job.row.owner, job.spec(), std::move(place),
                               secrets == secrets_.end() ? AttemptSecrets{} : secrets->second,
                               seat.index, seat.size, std::move(seat.gang)});
    } else if (!is_final(member.state)) {
      order_size(job, ref->index, orders);
    }
  }
}

NodeOrders Deployer::orders_for(NodeLink& link, Context& c) {
  NodeOrders orders;
  orders.state = link.row.state;
  order_starts(link.row.node, orders);
  order_probes(link, orders);
  orders.stops.insert(orders.stops.end(), link.strays.begin(), link.strays.end());
  orders.acknowledged = std::exchange(link.acknowledged, {});
  orders.logs = std::exchange(link.log_orders, {});
  relay_.give(link.row.node, orders);
  execs_.give(link.row.node, orders, c.now());
  return orders;
}

void Deployer::answer_sync(NodeLink& link, Ticket<NodeSync> ticket, NodeOrders orders, Context& c) {
  if (link.parked && link.parked->call == ticket.call) link.parked.reset();
  link.stops_told.clear();
  for (auto const& stop : orders.stops) link.stops_told.insert(stop.attempt);
  link.probes_told.clear();
  for (auto const& probe : orders.probes) link.probes_told.insert(probe.attempt);
  link.sizes_told = orders.sizes;
  c.answer(ticket, Result<NodeOrders>(std::move(orders)));
}

// There is news for the node: the sync that waits for it is answered now.
void Deployer::wake_node(NodeId const& node, Context& c) {
  auto const found = nodes_.find(node);
  if (found == nodes_.end() || !found->second.parked) return;
  auto const ticket = *std::exchange(found->second.parked, std::nullopt);
  answer_sync(found->second, ticket, orders_for(found->second, c), c);
}

void Deployer::tick_nodes(Context& c) {
  for (auto& [id, link] : nodes_) {
    if (link.is_simulated() || link.row.slice) continue;
    auto const quiet = c.now() - link.heard_at;
    if (quiet < settings_.suspect_after_ms) {
      // A doubt that has lapsed is no event.
      if (!link.first_sync) note_health(link, c);
      continue;
    }
    auto const far = quiet >= settings_.unreachable_after_ms;
    auto const state = link.row.state;
    if (state != NodeState::draining && state != NodeState::down)
      set_node_state(link, far ? NodeState::unreachable : NodeState::suspect, c);
    if (std::exchange(link.silent, true)) continue;
    for (auto const& job : jobs_on(id))
      apply_event(jobs_.at(job), NodeSilent{id, link.heard_at}, c);
  }
}

}  // namespace lepton::deployer
