#include "tests/services/deployer_core/support.hpp"

namespace lepton::deployer {

NodeCapacity capacity(std::int64_t cpu, std::int64_t memory, std::uint32_t gpus,
                      std::string const& model) {
  NodeCapacity c{cpu, memory, 100'000, {}, 20'000, 100};
  for (std::uint32_t i = 0; i < gpus; ++i)
    c.gpus.push_back({"u" + std::to_string(i), model, 40'960});
  return c;
}

NodeSpec node(std::string id, NodeCapacity c, std::uint64_t order) {
  return {{std::move(id)}, PoolId{"default"}, std::move(c), NodeState::ready, {}, order};
}

ResourceRequest ask_cpu(std::int64_t cpu, std::int64_t memory) {
  ResourceRequest r;
  r.cpu_milli = cpu;
  r.memory_mib = memory;
  return r;
}
ResourceRequest ask_gpus(std::uint32_t gpus, std::uint32_t milli, std::vector<std::string> models) {
  auto r = ask_cpu(1000, 1000);
  r.gpus = gpus;
  r.gpu_milli = milli;
  r.gpu_models = std::move(models);
  return r;
}

void must(Status const& s) {
  if (!s) RC_FAIL(s.error().what);
}

NodeCapacity any_capacity() {
  auto c = capacity(*rc::gen::inRange(0, 17) * 1000, *rc::gen::inRange(0, 17) * 1024,
                    static_cast<std::uint32_t>(*rc::gen::inRange(0, 5)),
                    *rc::gen::element<std::string>("A100", "T4", "H100"));
  if (c.gpus.size() > 1 && *rc::gen::inRange(0, 4) == 0) c.gpus.back().model = "T4";
  if (c.gpus.size() > 1 && *rc::gen::inRange(0, 4) == 0) c.gpus.front().memory_mib = 16'384;
  if (c.gpus.size() > 1 && *rc::gen::inRange(0, 4) == 0) c.gpus[1].mig_profile = "1g.10gb";
  if (*rc::gen::inRange(0, 3) == 0)
    for (std::uint32_t i = 0; i < c.gpus.size(); ++i) c.gpus[i].island = i / 2;
  if (*rc::gen::inRange(0, 3) == 0)
    for (std::uint32_t i = 0; i < c.gpus.size(); ++i) c.gpus[i].numa = static_cast<int>(i % 2);
  c.disk_mib = *rc::gen::element<std::int64_t>(0, 1000, 10'000);
  c.price_per_hour_micro = *rc::gen::element<std::int64_t>(0, 1'000'000, 2'500'000);
  c.spot = *rc::gen::inRange(0, 3) == 0;
  c.bandwidth_mbit = *rc::gen::element<std::int64_t>(1000, 1000, 10'000, 0);
  c.port_count = static_cast<std::uint32_t>(*rc::gen::inRange(0, 5));
  return c;
}

Constraints any_constraints() {
  Constraints w;
  auto const rule = [] {
    using Values = std::vector<std::string>;
    return LabelRule{*rc::gen::element<std::string>("zone", "rack", "nvme"),
                     *rc::gen::element(Values{}, Values{"a"}, Values{"a", "b"}),
                     *rc::gen::inRange(0, 3) == 0};
  };
  for (int i = *rc::gen::inRange(0, 2); i > 0; --i) w.requirements.push_back(rule());
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i) w.preferences.push_back(rule());
  if (*rc::gen::inRange(0, 2) == 0) w.tolerations.push_back({"batch", {}, false});
  if (*rc::gen::inRange(0, 4) == 0) w.regions = {"eu"};
  if (*rc::gen::inRange(0, 6) == 0) w.max_price_per_hour_micro = 1'500'000;
  if (*rc::gen::inRange(0, 6) == 0) w.limits = {{"latency_ms", 20'000}};
  if (*rc::gen::inRange(0, 6) == 0) w.data = {"web", 1'024, *rc::gen::element(0, 10'000)};
  if (*rc::gen::inRange(0, 6) == 0) w.exposure = {{{"internet", 500}}, 400};
  if (*rc::gen::inRange(0, 6) == 0)
    w.site = {500, *rc::gen::element(0, 300), *rc::gen::element(0, 200)};
  w.cheapest = !w.site.any() && *rc::gen::inRange(0, 3) == 0;
  w.spot = *rc::gen::weightedElement<SpotUse>(
      {{6, SpotUse::allowed}, {1, SpotUse::never}, {2, SpotUse::preferred}, {1, SpotUse::only}});
  w.topology = *rc::gen::weightedElement<TopologyMode>(
      {{6, TopologyMode::none}, {1, TopologyMode::pack}, {1, TopologyMode::spread}});
  if (w.topology != TopologyMode::none) w.topology_label = "rack";
  return w;
}

ResourceRequest plain_request(int gpus_most) {
  auto r = ask_gpus(static_cast<std::uint32_t>(*rc::gen::inRange(0, gpus_most + 1)));
  if (r.gpus == 1) r.gpu_milli = *rc::gen::element(300u, 500u, 1000u);
  r.cpu_milli = 1000 * *rc::gen::inRange<std::int64_t>(1, 6);
  return r;
}

ResourceRequest any_request() {
  if (*rc::gen::arbitrary<bool>()) return plain_request(4);
  ResourceRequest r;
  r.cpu_milli = *rc::gen::inRange(0, 9) * 500;
  r.memory_mib = *rc::gen::inRange(0, 9) * 512;
  r.disk_mib = *rc::gen::element<std::int64_t>(0, 0, 500, 2000);
  r.bandwidth_mbit = *rc::gen::weightedElement<std::int64_t>({{6, 0}, {1, 400}, {1, 2000}});
  r.gpus =
      static_cast<std::uint32_t>(*rc::gen::weightedElement<int>({{4, 0}, {6, 1}, {2, 2}, {1, 4}}));
  if (r.gpus == 1)
    r.gpu_milli = static_cast<std::uint32_t>(*rc::gen::element(1000, 1000, 810, 470, 320, 1));
  r.gpu_memory_mib = *rc::gen::weightedElement<std::int64_t>({{6, 0}, {1, 16'384}, {1, 40'960}});
  using Models = std::vector<std::string>;
  r.gpu_models =
      *rc::gen::element(Models{}, Models{}, Models{"A100"}, Models{"T4", "A100"}, Models{"B200"});
  r.ports = static_cast<std::uint32_t>(*rc::gen::weightedElement<int>({{4, 0}, {1, 1}, {1, 2}}));
  if (*rc::gen::inRange(0, 3) == 0) r.where = any_constraints();
  if (r.gpus > 1 && *rc::gen::inRange(0, 3) == 0) r.where.one_island = true;
  if (r.gpus > 0 && *rc::gen::inRange(0, 4) == 0) r.where.one_numa = true;
  if (r.gpus == 1 && r.gpu_milli == 1000 && *rc::gen::inRange(0, 4) == 0) r.mig_profile = "1g.10gb";
  return r;
}

NodeState any_state() {
  return *rc::gen::weightedElement<NodeState>({{8, NodeState::ready},
                                               {1, NodeState::draining},
                                               {1, NodeState::suspect},
                                               {1, NodeState::down}});
}

std::vector<NodeSpec> plain_nodes(int count) {
  std::vector<NodeSpec> nodes;
  for (int i = 0; i < count; ++i) {
    auto const gpus = i % 2 == 0 ? 4u : 2u;
    nodes.push_back(node("n" + std::to_string(i), capacity(4000 * gpus, 64'000, gpus),
                         static_cast<std::uint64_t>(i) + 1));
  }
  return nodes;
}

std::vector<NodeSpec> any_nodes(int most) {
  if (*rc::gen::arbitrary<bool>()) return plain_nodes(*rc::gen::inRange(1, most + 1));
  std::vector<NodeSpec> nodes;
  auto const count = *rc::gen::inRange(0, most + 1);
  for (int i = 0; i < count; ++i) {
    nodes.push_back(
        node("n" + std::to_string(i), any_capacity(), static_cast<std::uint64_t>(i) + 1));
    nodes.back().state = any_state();
    if (*rc::gen::inRange(0, 6) == 0) nodes.back().pool = {"other"};
    for (auto const* key : {"zone", "rack", "nvme"})
      if (*rc::gen::inRange(0, 2) == 0)
        nodes.back().labels[key] = *rc::gen::element<std::string>("a", "b");
    if (*rc::gen::inRange(0, 3) == 0) nodes.back().labels["region"] = "eu";
    if (*rc::gen::inRange(0, 2) == 0)
      nodes.back().labels["latency_ms"] = *rc::gen::element<std::string>("5", "20.5", "low");
    if (*rc::gen::inRange(0, 3) == 0) nodes.back().labels["data/web"] = "";
    if (*rc::gen::inRange(0, 3) == 0)
      nodes.back().labels["performance"] = *rc::gen::element<std::string>("0.5", "1");
    if (*rc::gen::inRange(0, 2) == 0)
      nodes.back().labels["exposure/internet"] = *rc::gen::element<std::string>("0.1", "0.9");
    if (*rc::gen::inRange(0, 6) == 0)
      nodes.back().taints = {{"batch", "", *rc::gen::inRange(0, 2) == 0}};
  }
  return nodes;
}

Cluster cluster_of(std::vector<NodeSpec> const& nodes) {
  Cluster c;
  for (auto const& n : nodes) must(c.upsert_node(n));
  return c;
}

}  // namespace lepton::deployer
