#include "services/node/core/gang.hpp"

#include <algorithm>

namespace lepton::node {
namespace {

// Host names and addresses need no escapes in JSON; an IPv6 address needs its brackets.
std::string endpoint(GangMember const& member) {
  auto const v6 = member.address.find(':') != std::string::npos;
  auto const host = v6 ? "[" + member.address + "]" : member.address;
  return host + ":" + std::to_string(member.port);
}

bool is_plain(std::string const& address) {
  return !address.empty() && std::all_of(address.begin(), address.end(), [](unsigned char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\\';
  });
}

std::string tf_config(std::uint32_t index, std::vector<GangMember> const& gang) {
  std::string workers;
  for (auto const& member : gang)
    workers += (workers.empty() ? "\"" : ", \"") + endpoint(member) + "\"";
  return R"({"cluster": {"worker": [)" + workers + R"(]}, "task": {"type": "worker", "index": )" +
         std::to_string(index) + "}}";
}

}  // namespace

std::map<std::string, std::string> gang_environment(std::uint32_t index,
                                                    std::vector<GangMember> const& gang) {
  if (gang.size() < 2 || index >= gang.size()) return {};
  std::map<std::string, std::string> all{{"RANK", std::to_string(index)},
                                         {"WORLD_SIZE", std::to_string(gang.size())},
                                         {"LOCAL_RANK", "0"},
                                         {"LOCAL_WORLD_SIZE", "1"},
                                         {"NODE_RANK", std::to_string(index)},
                                         {"MASTER_ADDR", gang.front().address}};
  auto const usable = std::all_of(gang.begin(), gang.end(), [](GangMember const& member) {
    return member.port != 0 && is_plain(member.address);
  });
  if (!usable) return all;
  all["MASTER_PORT"] = std::to_string(gang.front().port);
  all["TF_CONFIG"] = tf_config(index, gang);
  return all;
}

std::map<std::string, std::string> elastic_environment(std::uint32_t index, std::uint32_t least,
                                                       std::uint32_t most,
                                                       std::vector<GangMember> const& gang) {
  std::map<std::string, std::string> all{{"NODE_RANK", std::to_string(index)},
                                         {nodes_min_variable, std::to_string(least)},
                                         {nodes_max_variable, std::to_string(most)}};
  if (gang.empty() || !is_plain(gang.front().address)) return all;
  all["MASTER_ADDR"] = gang.front().address;
  if (gang.front().port != 0) all["MASTER_PORT"] = std::to_string(gang.front().port);
  return all;
}

}  // namespace lepton::node
