#include "services/node/runner/environment.hpp"

#include "common/base/text.hpp"

namespace lepton::node {
namespace {

using Variables = std::map<std::string, std::string>;

std::vector<std::string> complete(Variables all, RunSpec const& spec, Secrets const& secrets,
                                  std::string const& output_dir) {
  for (auto const& [name, value] : spec.env) all[name] = value;
  for (auto const& [name, value] : secrets) all[name] = value.reveal();
  all["CUDA_VISIBLE_DEVICES"] = text::join(spec.gpu_uuids, ",");
  for (std::size_t i = 0; i < spec.ports.size(); ++i)
    all["PORT" + std::to_string(i)] = std::to_string(spec.ports[i]);
  if (!spec.ports.empty()) all["PORT"] = std::to_string(spec.ports[0]);
  if (!spec.ports.empty() && !spec.listen.empty()) all["LEPTON_LISTEN"] = spec.listen;
  all["LEPTON_ATTEMPT_ID"] = spec.attempt;
  all["LEPTON_TASK_ID"] = spec.task;
  all["LEPTON_OUTPUT_DIR"] = output_dir;
  std::vector<std::string> lines;
  for (auto& [name, value] : all) {
    lines.push_back(name + "=" + value);
    wipe(value.data(), value.size());
  }
  return lines;
}

}  // namespace

std::vector<std::string> task_environment(RunSpec const& spec, Secrets const& secrets,
                                          TaskPlace const& place) {
  return complete({{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                   {"LANG", "C.UTF-8"},
                   {"HOME", place.home},
                   {"USER", place.user},
                   {"LOGNAME", place.user}},
                  spec, secrets, place.output_dir);
}

std::vector<std::string> container_environment(RunSpec const& spec, Secrets const& secrets,
                                               std::string const& output_dir) {
  return complete({}, spec, secrets, output_dir);
}

}  // namespace lepton::node
