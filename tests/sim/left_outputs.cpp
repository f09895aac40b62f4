#include "tests/sim/left_outputs.hpp"

#include <filesystem>
#include <fstream>

#include "services/node/runner/attempt_files.hpp"

namespace lepton::sim {
namespace {

// The time of the change is told, too; a seed must mean the same at any hour.
void write(std::string const& path, std::string const& content) {
  std::ofstream(path, std::ios::binary) << content;
  std::filesystem::last_write_time(path, std::filesystem::file_time_type{});
}

}  // namespace

std::string LeftOutputs::state_dir(std::string const& node) {
  return (place_.path() / node).string();
}

std::shared_ptr<node::OutputReader> LeftOutputs::reader_of(std::string const& node) {
  return std::make_shared<node::OutputReader>(state_dir(node));
}

void LeftOutputs::leave(std::string const& node, node::RunStatus const& status) {
  if (!node::terminal(status.state) || !left_.insert(status.attempt).second) return;
  node::AttemptFiles const files(state_dir(node), status.attempt);
  std::filesystem::create_directories(files.out + "/model");
  std::ofstream(files.spec) << "attempt=" << status.attempt << "\n";
  std::ofstream(files.status) << encode(status);
  for (auto const& [path, content] : of(status.attempt)) write(files.out + "/" + path, content);
}

std::map<std::string, std::string> LeftOutputs::of(std::string const& attempt) {
  std::string weights;
  for (int i = 0; i < 40; ++i) weights += attempt + "/" + std::to_string(i) + ";";
  return {{"model/weights", weights}, {"result", "of " + attempt}};
}

std::string LeftOutputs::difference(OutputPage const& page) {
  auto wanted = of(page.attempt.value);
  for (auto const& file : page.files) {
    auto const one = wanted.find(file.path);
    if (one == wanted.end()) return file.path + " was never left by " + page.attempt.value;
    if (static_cast<std::int64_t>(one->second.size()) != file.size)
      return file.path + " of " + page.attempt.value + " has another size";
    wanted.erase(one);
  }
  return wanted.empty() ? "" : wanted.begin()->first + " of " + page.attempt.value + " is missing";
}

}  // namespace lepton::sim
