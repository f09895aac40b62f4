#include "services/node/runner/docker/container_body.hpp"

#include <fmt/format.h>

#include "common/base/text.hpp"
#include "common/codec/json.hpp"

namespace lepton::node {
namespace {

using codec::Tree;
using Entries = std::vector<codec::TreeEntry>;

Tree object(Entries entries) {
  Tree tree;
  tree.kind = Tree::Kind::map;
  tree.entries = std::move(entries);
  return tree;
}
Tree list(std::vector<Tree> items) {
  Tree tree;
  tree.kind = Tree::Kind::list;
  tree.items = std::move(items);
  return tree;
}
Tree text_of(std::string s) {
  return Tree::of_text(std::move(s));
}
Tree number(std::int64_t n) {
  return Tree::of_number(std::to_string(n));
}
Tree boolean(bool b) {
  Tree tree;
  tree.kind = Tree::Kind::boolean;
  tree.scalar = b ? "true" : "false";
  return tree;
}
Tree texts(std::vector<std::string> const& all) {
  std::vector<Tree> items;
  for (auto const& one : all) items.push_back(text_of(one));
  return list(std::move(items));
}

Tree mount(std::string const& source, std::string const& target, bool read_only) {
  return object({{"Type", text_of("bind")},
                 {"Source", text_of(source)},
                 {"Target", text_of(target)},
                 {"ReadOnly", boolean(read_only)}});
}

Entries changeable(RunLimits const& limits) {
  Entries entries;
  auto const bytes = limits.memory_mib << 20;
  if (bytes > 0) {
    entries.emplace_back("Memory", number(bytes));
    entries.emplace_back("MemorySwap", number(bytes));  // no swap beside it
  }
  if (limits.cpu_milli > 0) entries.emplace_back("NanoCpus", number(limits.cpu_milli * 1'000'000));
  return entries;
}

Entries limits_of(RunSpec const& spec) {
  auto limits = changeable({spec.cpu_milli, spec.memory_mib});
  // Docker's 64 MiB end every data loader that shares batches; what is used counts as memory.
  if (spec.memory_mib > 0) limits.emplace_back("ShmSize", number((spec.memory_mib << 20) / 2));
  if (!spec.cpus.empty()) limits.emplace_back("CpusetCpus", text_of(spec.cpus));
  if (spec.pids_max > 0) limits.emplace_back("PidsLimit", number(spec.pids_max));
  return limits;
}

Tree gpus_of(RunSpec const& spec) {
  return list({object({{"Driver", text_of("")},
                       {"DeviceIDs", texts(spec.gpu_uuids)},
                       {"Capabilities", list({texts({"gpu"})})}})});
}

Tree host_config(RunSpec const& spec, ContainerPlace const& place) {
  auto host = limits_of(spec);
  std::vector<Tree> mounts{mount(place.box, "/.lepton", true),
                           mount(place.init, "/.lepton-init", true),
                           mount(place.out, container_out, false)};
  if (!place.work.empty()) mounts.push_back(mount(place.work, container_work, false));
  host.emplace_back("Mounts", list(std::move(mounts)));
  if (place.has_secrets) {
    auto const parts = text::split(place.user, ':');
    host.emplace_back(
        "Tmpfs",
        object({{"/run/secrets",
                 text_of(fmt::format("rw,noexec,nosuid,nodev,size=2m,mode=0700,uid={},gid={}",
                                     parts[0], parts.size() > 1 ? parts[1] : parts[0]))}}));
  }
  // The machine's network: collective libraries of gangs open ports of their own choice.
  host.emplace_back("NetworkMode", text_of("host"));
  host.emplace_back("RestartPolicy", object({{"Name", text_of("no")}}));
  host.emplace_back("LogConfig", object({{"Type", text_of("none")}}));
  host.emplace_back("CapDrop", texts({"ALL"}));
  host.emplace_back("SecurityOpt", texts({"no-new-privileges"}));
  if (!spec.gpu_uuids.empty()) host.emplace_back("DeviceRequests", gpus_of(spec));
  return object(std::move(host));
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (char const c : text) {
    auto const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

std::string container_name(std::string_view attempt) {
  return fmt::format("lepton-{}", attempt);
}

std::string create_body(RunSpec const& spec, ContainerPlace const& place) {
  Entries body{{"Image", text_of(place.image)},
               {"Entrypoint", texts({"/.lepton-init"})},
               {"Cmd", texts(spec.command)},
               {"User", text_of(place.user)},
               {"Labels", object({{"lepton.attempt", text_of(spec.attempt)},
                                  {"lepton.task", text_of(spec.task)},
                                  {"lepton.image", text_of(spec.image)}})},
               {"HostConfig", host_config(spec, place)}};
  auto const own = place.work.empty() ? "" : container_work;
  auto const working_dir = spec.working_dir.empty() ? own : spec.working_dir;
  if (!working_dir.empty()) body.emplace_back("WorkingDir", text_of(working_dir));
  return codec::json_text(object(std::move(body)));
}

std::string resize_body(RunLimits const& limits) {
  return codec::json_text(object(changeable(limits)));
}

Result<std::int64_t> memory_in_use_mib(std::string const& statistics) {
  auto const tree = codec::parse_json(statistics);
  auto const* memory = tree ? tree->find("memory_stats") : nullptr;
  auto const number_in = [](Tree const* from, char const* name) -> std::int64_t {
    auto const* found = from == nullptr ? nullptr : from->find(name);
    return found == nullptr ? 0 : text::parse_int(found->scalar).value_or(0);
  };
  auto const usage = number_in(memory, "usage");
  if (usage <= 0) return Error{Code::unavailable, "Docker does not tell what the container uses"};
  auto const* more = memory->find("stats");
  auto const cached =
      std::max(number_in(more, "inactive_file"), number_in(more, "total_inactive_file"));
  return (usage - std::min(usage, cached)) >> 20;
}

std::string exec_body(std::vector<std::string> const& command) {
  std::vector<std::string> words{"/.lepton-init", "--exec"};
  words.insert(words.end(), command.begin(), command.end());
  return codec::json_text(object({{"AttachStdin", boolean(true)},
                                  {"AttachStdout", boolean(true)},
                                  {"AttachStderr", boolean(true)},
                                  {"Tty", boolean(false)},
                                  {"Cmd", texts(words)}}));
}

Result<std::string> exec_id(std::string const& answer) {
  auto const tree = codec::parse_json(answer);
  auto const* id = tree ? tree->find("Id") : nullptr;
  auto const good = id != nullptr && !id->scalar.empty() &&
                    id->scalar.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!good) return Error{Code::unavailable, "Docker does not name the command that it made"};
  return id->scalar;
}

Result<std::optional<int>> exec_exit_code(std::string const& inspected) {
  using Exit = std::optional<int>;
  auto const tree = codec::parse_json(inspected);
  auto const* running = tree ? tree->find("Running") : nullptr;
  auto const* code = tree ? tree->find("ExitCode") : nullptr;
  if (!running || !code) return Error{Code::unavailable, "Docker does not tell how it ended"};
  auto const number = text::parse_int(code->scalar);
  if (running->scalar == "true" || !number) return Exit();
  return Exit(static_cast<int>(*number));
}

Result<Container> find_own(std::string const& inspected, RunSpec const& spec) {
  auto const tree = codec::parse_json(inspected);
  auto const word = [&](std::initializer_list<char const*> path) -> std::string {
    auto const* found = tree ? &*tree : nullptr;
    for (auto const* name : path) found = found == nullptr ? nullptr : found->find(name);
    return found == nullptr ? "" : found->scalar;
  };
  auto const status = word({"State", "Status"});
  if (status.empty())
    return Error{Code::unavailable, "Docker does not tell the state of the container"};
  if (word({"Config", "Labels", "lepton.attempt"}) != spec.attempt ||
      word({"Config", "Labels", "lepton.task"}) != spec.task)
    return Container::none;
  if (status == "running" || status == "paused") return Container::running;
  return status == "exited" ? Container::ended : Container::none;
}

Result<ContainerState> container_state(std::string const& inspected) {
  auto const tree = codec::parse_json(inspected);
  auto const* state = tree ? tree->find("State") : nullptr;
  if (!state) return Error{Code::unavailable, "Docker does not tell the state of the container"};
  auto const word = [&](char const* name) {
    auto const* found = state->find(name);
    return found ? found->scalar : std::string();
  };
  ContainerState out;
  // Created, but never started, is as little running as exited.
  out.running = word("Running") == "true" || word("Paused") == "true";
  out.oom_killed = word("OOMKilled") == "true";
  out.exit_code = static_cast<int>(text::parse_int(word("ExitCode")).value_or(-1));
  out.error = word("Error");
  return out;
}

Status pulled(std::string const& progress) {
  for (auto const& line : text::split(progress, '\n')) {
    auto const tree = codec::parse_json(text::trim(line));
    auto const* error = tree ? tree->find("error") : nullptr;
    if (error) return Error{Code::not_found, error->scalar};
  }
  return ok();
}

std::string pull_query(std::string const& image) {
  auto const digest = image.find('@');
  if (digest != image.npos)
    return fmt::format("fromImage={}&tag={}", percent_encoded(image.substr(0, digest)),
                       percent_encoded(image.substr(digest + 1)));
  auto const slash = image.rfind('/');
  auto const colon = image.find(':', slash == image.npos ? 0 : slash);
  auto const name = image.substr(0, colon);
  auto const tag = colon == image.npos ? "latest" : image.substr(colon + 1);
  return fmt::format("fromImage={}&tag={}", percent_encoded(name), percent_encoded(tag));
}

}  // namespace lepton::node
