// What people ask of slices.

#include "services/deployer/slices.hpp"

#include <fmt/format.h>

#include "common/base/text.hpp"
#include "common/bus/access/path.hpp"
#include "services/deployer/core/slice.hpp"

namespace lepton::deployer {
namespace {

Error not_there(std::string const& name) {
  return {Code::not_found, "there is no slice '" + name + "'; `lepton slice list` shows all"};
}

SliceView planned_view(PlannedSlices::Planned const& planned) {
  auto const& m = planned.row.wanted;
  SliceView v{m.name, pool_of(m), m.size, {}, m.window};
  for (std::uint32_t i = 0; i < planned.row.places.size(); ++i) {
    auto const& place = planned.row.places[i];
    v.parts.push_back({part_name(m, i), place.node, NodeState::unknown, place.gpus});
  }
  return v;
}

}  // namespace

Result<SliceView> Slices::create(SliceCreate const& m, Context& c) {
  auto const now = hooks_.now(c);
  if (auto good = check(m, now); !good) return good.error();
  auto const begins_later = m.window.begins_at_ms > now;
  auto places = begins_later ? places_in_time(m, now) : places_for(m);
  if (!places) return places.error();
  if (auto given = give_ports(m, *places); !given) return given.error();
  if (auto const why = hooks_.too_much_power(*places))
    return Error{Code::exhausted, "what it has counts as in use, and so it " + *why};
  c.note("parts", std::to_string(m.parts));
  if (begins_later) {
    planned_.add(m, std::move(*places), c);
    return planned_view(planned_.all().at(m.name));
  }
  for (std::uint32_t i = 0; i < m.parts; ++i) add(m, part_name(m, i), std::move(places->at(i)), c);
  hooks_.room_changed(pool_of(m), c);
  return view_of(*parts_of(m.name));
}

Status Slices::check(SliceCreate const& m, WallMs now) const {
  if (!text::is_dns_label(m.name))
    return Error{Code::invalid, "name: '" + m.name.substr(0, 64) +
                                    "' is not a DNS label; write for example team-a"};
  if (auto good = check_size(m.size); !good) return good;
  if (m.gpu_models.size() > models_max) return Error{Code::invalid, "gpu_models: more than 64"};
  if (auto good = access::check_segment("pool", pool_of(m).value); !good) return good;
  if (auto good = check_window(m, now); !good) return good;
  if (nodes_.size() + m.parts > nodes_max)
    return Error{Code::exhausted, "there are at most 20,000 nodes, slices among them"};
  if (planned_.all().size() >= PlannedSlices::planned_max)
    return Error{Code::exhausted, "1,000 slices are to begin later, which is the limit"};
  return check_names(m);
}

Status Slices::check_window(SliceCreate const& m, WallMs now) const {
  auto const& w = m.window;
  if (w.ends_at_ms > 0 && w.ends_at_ms <= std::max(now, w.begins_at_ms))
    return Error{Code::invalid, "window.ends_at_ms: it ends before it begins"};
  if (w.users.size() > slice_users_max)
    return Error{Code::invalid, "window.users: at most 64; leave it out for everybody"};
  if (w.begins_at_ms > now && !m.machine.empty())
    return Error{Code::invalid,
                 "machine: cannot be said of a slice that begins later; its places are chosen "
                 "where they are free in time"};
  for (auto const& user : w.users)
    if (auto good = access::check_segment("window.users", user); !good) return good;
  return check_pool(m);
}

// Where it matters whose work it is, or when it ends, it must not matter which of its nodes is
// best.
Status Slices::check_pool(SliceCreate const& m) const {
  auto const pool = pool_of(m);
  auto const fits = [&](SliceWindow const& other) {
    return other == m.window ||
           (!deployer::is_restricted(other) && !deployer::is_restricted(m.window));
  };
  auto good = true;
  for (auto const slot : cluster_.pool(pool)) {
    auto const& slice = nodes_.at(cluster_.at(slot).spec.id).row.slice;
    good &= fits(slice ? slice->window : SliceWindow{});
  }
  for (auto const& [name, planned] : planned_.all())
    good &= pool_of(planned.row.wanted) != pool || fits(planned.row.wanted.window);
  if (good) return ok();
  return Error{Code::invalid,
               "pool: has other nodes; a slice that ends, or is for some only, needs a pool of its "
               "own, so that nobody is sent to it in vain"};
}

Status Slices::check_names(SliceCreate const& m) const {
  auto known = planned_.all().contains(m.name);
  for (auto const& [id, link] : nodes_) known |= link.row.slice && link.row.slice->name == m.name;
  if (known)
    return Error{Code::conflict, "there is a slice '" + m.name +
                                     "'; change it with `lepton slice resize`, or choose "
                                     "another name"};
  for (std::uint32_t i = 0; i < m.parts; ++i) {
    auto const name = part_name(m, i);
    if (!text::is_dns_label(name.value))
      return Error{Code::invalid, "name: is too long; '" + name.value + "' is no name of a node"};
    if (nodes_.contains(name) || planned_.has_part(name))
      return Error{Code::conflict, "name: there is a node '" + name.value +
                                       "' already, or a slice that is to be called so"};
  }
  return ok();
}

Result<std::vector<Allocation>> Slices::places_for(SliceCreate const& m) {
  auto const request = request_for(m.size, m.gpu_models);
  if (!m.machine.empty()) return places_on(m.machine, request, m.parts);
  auto found = placer_.place_gang(request, m.from, m.parts);
  if (auto const* misfit = std::get_if<Misfit>(&found))
    return Error{misfit->never ? Code::invalid : Code::exhausted,
                 "no machine of pool '" + m.from.value + "' has room for it: " + misfit->what};
  return std::move(std::get<std::vector<Allocation>>(found));
}

Result<std::vector<Allocation>> Slices::places_on(NodeId const& machine,
                                                  ResourceRequest const& request,
                                                  std::uint32_t parts) {
  auto const* node = cluster_.find(machine);
  if (node == nullptr)
    return Error{Code::not_found,
                 "machine: there is no node '" + machine.value + "'; `lepton node list` shows all"};
  if (!node->spec.machine.empty())
    return Error{Code::invalid, "machine: '" + machine.value + "' is itself a slice, of " +
                                    node->spec.machine.value};
  Ask const ask(cluster_, request, node->spec.pool);
  Draft draft(cluster_);
  if (fill_on({node->slot}, draft, cluster_, ask, placer_.policy(node->spec.pool), parts))
    return std::move(draft.taken());
  auto const view = with_room(*node, draft.room(node->slot));
  auto const& rule = rules()[first_rejection(view, ask)];
  auto const unit = rule.unit.empty() ? "" : " " + std::string(rule.unit);
  return Error{Code::exhausted,
               fmt::format("machine {} takes {} of {} parts: {} ({} wanted, {} there{})",
                           machine.value, draft.taken().size(), parts, rule.phrase, rule.wants(ask),
                           rule.has(view, ask), unit)};
}

// Where what holds it now has ended by then.
Result<std::vector<Allocation>> Slices::places_in_time(SliceCreate const& m, WallMs now) {
  auto found = reserve(cluster_, JobId{}, request_for(m.size, m.gpu_models), m.from, m.parts,
                       hooks_.limited(m.from, now), now, placer_.policy(m.from));
  if (!found)
    return Error{Code::exhausted, "pool '" + m.from.value +
                                      "' has no room for it even when all work has ended that has "
                                      "a time limit; `lepton job list` shows what runs"};
  if (found->starts_by_ms > m.window.begins_at_ms)
    return Error{Code::exhausted,
                 fmt::format("room for it is there {:.1f} min after it would begin, when job {} "
                             "ends; let it begin then, or ask for less",
                             double(found->starts_by_ms - m.window.begins_at_ms) / 60'000.0,
                             found->last.value)};
  return std::move(found->places);
}

// So many in a row for each part.
Status Slices::give_ports(SliceCreate const& m, std::vector<Allocation>& places) const {
  if (m.ports == 0) return ok();
  std::map<NodeId, Ports> left;
  for (auto& place : places) {
    auto& ports =
        left.try_emplace(place.node, cluster_.find(place.node)->free.ports()).first->second;
    auto const first = ports.lowest_free_run(m.ports);
    if (!first)
      return Error{Code::exhausted, fmt::format("ports: machine {} has no {} free ones in a row",
                                                place.node.value, m.ports)};
    for (std::uint32_t i = 0; i < m.ports; ++i) {
      ports.take(*first + i);
      place.ports.push_back(*first + i);
    }
  }
  return ok();
}

Result<SliceView> Slices::resize(SliceResize const& m, Context& c) {
  if (planned_.all().contains(m.name))
    return Error{Code::conflict, "slice '" + m.name +
                                     "' has not begun; release it and create it with another size"};
  auto const parts = parts_of(m.name);
  if (!parts) return parts.error();
  auto const from = size_of_slice(parts->front()->row.slice->held);
  auto const to = meant(from, m);
  if (!to) return to.error();
  if (*to == from) return Error{Code::conflict, "slice '" + m.name + "' has that size already"};
  std::vector<Allocation> before;
  for (auto* part : *parts) {
    auto const was = part->row.slice->held;
    auto next = resized(cluster_, *cluster_.find(part->row.node), *to);
    auto const given = next ? give_if_powered(*part, *next) : Status(next.error());
    if (!given) {
      for (std::size_t i = 0; i < before.size(); ++i) {
        auto const back = give(*parts->at(i), before[i]);
        LEPTON_CHECK(back.has_value(), "what a slice had before is free no more");
      }
      return given.error();
    }
    before.push_back(was);
  }
  for (auto const* part : *parts) c.upsert(part->row);
  c.note("size", fmt::format("{:g} CPU, {} MiB, {:g} GPU", double(to->cpu_milli) / 1000.0,
                             to->memory_mib, double(to->gpus * to->gpu_milli) / 1000.0));
  hooks_.room_changed(parts->front()->row.pool, c);
  return view_of(*parts);
}

Status Slices::give_if_powered(NodeLink& part, Allocation const& held) {
  if (auto const why = hooks_.too_much_power({held}))
    return Error{Code::exhausted, "with that size it " + *why};
  return give(part, held);
}

Result<SliceReleased> Slices::release(SliceRelease const& m, Context& c) {
  if (planned_.all().contains(m.name)) {
    auto planned = planned_.take(m.name, c);
    planned.hold.release(cluster_);
    hooks_.room_changed(pool_of(planned.row.wanted), c);
    return SliceReleased{m.name, planned.row.wanted.parts};
  }
  auto const parts = parts_of(m.name);
  if (!parts) return parts.error();
  for (auto const* part : *parts)
    if (auto const used = cluster_.holders(part->row.node).size(); used > 0)
      return Error{Code::conflict,
                   fmt::format("{} attempts hold something in '{}'; end them with `lepton job "
                               "cancel`, or give it no new work with `lepton node drain {}` and "
                               "wait until they have ended",
                               used, part->row.node.value, part->row.node.value)};
  auto const pool = parts->front()->row.pool;
  SliceReleased const released{m.name, static_cast<std::uint32_t>(parts->size())};
  for (auto* part : *parts) take_away(*part, c);
  c.note("parts", std::to_string(released.parts));
  hooks_.room_changed(pool, c);
  return released;
}

Result<SlicePage> Slices::list(SliceList const& m, Context&) {
  std::map<std::string, SliceView> by_name;
  for (auto const& [name, planned] : planned_.all()) by_name.emplace(name, planned_view(planned));
  for (auto const& [name, parts] : all()) by_name.emplace(name, view_of(parts));
  SlicePage page;
  for (auto& [name, view] : by_name)
    if (m.name.empty() || name == m.name) page.slices.push_back(std::move(view));
  if (page.slices.empty() && !m.name.empty()) return not_there(m.name);
  return page;
}

std::map<std::string, Slices::Parts> Slices::all() {
  std::map<std::string, Parts> by_name;
  for (auto& [id, link] : nodes_)
    if (link.row.slice) by_name[link.row.slice->name].push_back(&link);
  return by_name;
}

Result<Slices::Parts> Slices::parts_of(std::string const& name) {
  Parts parts;
  for (auto& [id, link] : nodes_)
    if (link.row.slice && link.row.slice->name == name) parts.push_back(&link);
  if (parts.empty()) return not_there(name);
  return parts;
}

SlicePart Slices::view_of(NodeLink const& part) const {
  auto const& node = *cluster_.find(part.row.node);
  SlicePart v{part.row.node, part.row.slice->machine, node.spec.state, part.row.slice->held.gpus};
  v.cpu_milli_free = node.free.cpu_milli();
  v.memory_mib_free = node.free.memory_mib();
  v.gpu_milli_free = node.free.gpu_milli();
  v.attempts = static_cast<std::uint32_t>(node.holders.size());
  return v;
}

SliceView Slices::view_of(Parts const& parts) const {
  auto const& row = parts.front()->row;
  auto const& of = *row.slice;
  SliceView v{of.name, row.pool, size_of_slice(of.held), {}, of.window};
  for (auto const* part : parts) v.parts.push_back(view_of(*part));
  return v;
}

}  // namespace lepton::deployer
