// lepton-container: stands for an attempt's task where the task is a Docker container. Started by
// lepton-runner with the task's environment as its own:
//   lepton-container run STATE_DIR ATTEMPT [NAME OF A SECRET ...]
//   lepton-container has STATE_DIR ATTEMPT     0: it runs; exit_ended, exit_none: it does not
//   lepton-container run_on STATE_DIR ATTEMPT  watches it from here on
//   lepton-container end STATE_DIR ATTEMPT     removes the container, whatever it does; 0: it is
//   gone
//   lepton-container resize STATE_DIR ATTEMPT CPU_MILLI MEMORY_MIB
//   lepton-container exec STATE_DIR ATTEMPT COMMAND ...        runs a command in it, with framed
//   input
// Holds secrets until the container has them: no core dump, not debuggable.

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string_view>

#include "common/base/text.hpp"
#include "services/node/runner/container.hpp"
#include "services/node/runner/docker/container_exec.hpp"
#include "services/node/runner/docker/container_pipe.hpp"
#include "services/node/runner/docker/container_run.hpp"
#include "services/node/runner/record.hpp"

namespace {

using namespace lepton;

int fail(Error const& error) {
  std::fprintf(stderr, "lepton-container: %s\n", error.what.c_str());
  return 125;
}

int run(node::AttemptFiles const& files, node::RunSpec const& spec,
        std::vector<std::string> secrets) {
  std::vector<std::string> lines;
  for (char** line = ::environ; *line != nullptr; ++line) {
    std::string_view const text(*line);
    lines.emplace_back(text);
    wipe(*line, text.size());
  }
  std::error_code error;
  auto const self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return fail({Code::unavailable, "/proc/self/exe cannot be read"});
  return node::ContainerRun(files, spec, std::move(secrets))
      .run(lines, (self.parent_path() / "lepton-init").string());
}

int end(node::RunSpec const& spec) {
  auto const gone =
      node::DockerApi(spec.engine_socket)
          .remove("/containers/" + node::container_name(spec.attempt) + "?force=true&v=true");
  return gone || gone.error().code == Code::not_found ? 0 : fail(gone.error());
}

// One that still waits for its environment has lost it with its watcher: it will never begin. Of
// watchers of an earlier version, which noted no start, nobody knows.
int has(node::AttemptFiles const& files, node::RunSpec const& spec) {
  auto const inspected = node::DockerApi(spec.engine_socket)
                             .get("/containers/" + node::container_name(spec.attempt) + "/json");
  if (!inspected && inspected.error().code == Code::not_found) return node::exit_none;
  auto const found =
      inspected ? node::find_own(*inspected, spec) : Result<node::Container>(inspected.error());
  if (!found) return fail(found.error());
  auto const status = node::read_status(files);
  auto const notes = status && status->started_ms > 0;
  if (*found == node::Container::none ||
      (notes && node::waits_for_environment(files.folder + "/box")))
    return node::exit_none;
  return *found == node::Container::running ? 0 : node::exit_ended;
}

// Nothing is taken that is in use: the kernel would end the container for it. Ends with the node
// that wants it: its next life may be told another size, and this one must not come after that.
int resize(node::RunSpec const& spec, node::RunLimits const& limits) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  node::DockerApi const docker(spec.engine_socket);
  auto const path = "/containers/" + node::container_name(spec.attempt);
  auto const statistics = docker.get(path + "/stats?stream=false&one-shot=true");
  auto const used =
      statistics ? node::memory_in_use_mib(*statistics) : Result<std::int64_t>(statistics.error());
  if (!used) return fail(used.error());
  if (node::takes_memory(limits, *used)) return node::exit_in_use;
  auto const done = docker.post(path + "/update", node::resize_body(limits));
  return done ? 0 : fail(done.error());
}

std::optional<node::RunLimits> limits_in(char** words) {
  auto const cpu = text::parse_int(words[0]), memory = text::parse_int(words[1]);
  if (!cpu || !memory) return std::nullopt;
  return node::RunLimits{*cpu, *memory};
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view const verb = argc > 3 ? argv[1] : "";
  auto const limits = verb == "resize" && argc == 6 ? limits_in(argv + 4) : std::nullopt;
  auto const is_plain = verb == "run" || verb == "run_on" || verb == "has" || verb == "end";
  if (!is_plain && !limits && (verb != "exec" || argc < 5)) {
    std::fprintf(stderr, "lepton-container is started by lepton-runner, not by hand\n");
    return 2;
  }
  rlimit const no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  node::AttemptFiles const files(argv[2], argv[3]);
  auto const text = node::read_file(files.spec, node::Record::size_max);
  if (!text) return fail(text.error());
  auto const spec = node::decode_run_spec(*text);
  if (!spec) return fail(spec.error());
  if (limits) return resize(*spec, *limits);
  if (verb == "exec") return node::run_in_container(*spec, {argv + 4, argv + argc});
  if (verb == "has") return has(files, *spec);
  if (verb == "run_on") return node::ContainerRun(files, *spec, {}).run_on();
  return verb == "end" ? end(*spec) : run(files, *spec, {argv + 4, argv + argc});
}
