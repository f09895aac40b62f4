#include "cli/jobs/resize.hpp"

#include <memory>

#include "cli/connect.hpp"
#include "cli/jobs/follow.hpp"
#include "cli/output/emit.hpp"
#include "cli/output/words.hpp"
#include "cli/spec/amounts.hpp"
#include "cli/spec/option_words.hpp"

namespace lepton::cli {
namespace {

struct ResizeOptions {
  std::string job, cpu, memory;
  bool wait = false;
};

Result<int> resize(Shell& shell, ResizeOptions const& o) {
  auto const size = read_size(o.cpu, o.memory);
  if (!size) return size.error();
  auto const resized = ask(shell, Service::deployer, JobResize{JobId{o.job}, *size});
  if (!resized) return resized.error();
  emit(shell, *resized,
       Table::sheet()
           .row({"ID", resized->job.value})
           .row({"STATUS", std::string(schema::name_of(resized->state))})
           .row({"WAS", task_words(resized->from)})
           .row({"BECOMES", task_words(resized->to)}));
  if (o.wait) return wait_for_size(shell, resized->job, resized->to);
  if (resized->on_its_way)
    shell.say("its nodes are told; less memory than is in use is refused there");
  shell.next("lepton job show " + resized->job.value);
  return 0;
}

}  // namespace

Result<TaskSize> read_size(std::string const& cpu, std::string const& memory) {
  if (cpu.empty() && memory.empty())
    return Error{Code::invalid, "say what shall change: --cpu, --memory or both"};
  TaskSize size;
  auto const read = [](char const* name, std::string const& text, auto const& parse,
                       std::int64_t& into) -> Status {
    if (auto good = set_amount(name, text, parse, into); !good) return good;
    if (text.empty() || into > 0) return ok();
    return Error{Code::invalid, name + std::string(": a limit cannot be taken away; write more "
                                                   "than 0")};
  };
  if (auto good = read("--cpu", cpu, parse_cpu_milli, size.cpu_milli); !good) return good.error();
  if (auto good = read("--memory", memory, parse_memory_mib, size.memory_mib); !good)
    return good.error();
  return size;
}

Command resize_command() {
  auto const o = std::make_shared<ResizeOptions>();
  Command c{"job resize", "Gives each task of a job more or less CPU and memory, without a stop",
            "lepton job resize digits --memory 8GiB --wait\nlepton job resize digits --cpu 2"};
  c.required("JOB", "Identity, a unique start of it, or the name of your newest job", &o->job)
      .option("--cpu", "CPU cores of each task, as in a spec: 4, 0.5 or 500m", &o->cpu)
      .option("--memory", "Memory of each task, as in a spec: 8GiB", &o->memory)
      .flag("-w,--wait", "Wait until it holds; the exit status is 5 when a node refused it",
            &o->wait);
  c.run = [o](Shell& shell) { return resize(shell, *o); };
  return c;
}

}  // namespace lepton::cli
