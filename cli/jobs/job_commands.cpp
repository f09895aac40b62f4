#include "cli/jobs/job_commands.hpp"

#include <memory>

#include "cli/connect.hpp"
#include "cli/jobs/exec.hpp"
#include "cli/jobs/explain.hpp"
#include "cli/jobs/fetch.hpp"
#include "cli/jobs/follow.hpp"
#include "cli/jobs/job_views.hpp"
#include "cli/jobs/resize.hpp"
#include "cli/output/emit.hpp"
#include "cli/spec/spec.hpp"
#include "cli/workdir/upload.hpp"
#include "common/crypto/encode.hpp"

namespace lepton::cli {
namespace {

constexpr int exit_changes = 1;
constexpr int exit_plan_error = 255;

WallMs now() {
  return SystemClock().wall_ms();
}

struct ApplyOptions {
  std::string file;
  bool wait = false;
};

// A folder that is not sent yet changes no plan.
JobPlan plan_of(JobSpec spec) {
  spec.workdir.clear();
  return JobPlan{std::move(spec)};
}

// Where a person looks, the plan is shown first and asked about.
Status agree(Shell& shell, JobSpec const& spec) {
  if (shell.yes || !shell.person) return ok();
  auto const plan = ask(shell, Service::deployer, plan_of(spec));
  if (!plan) return plan.error();
  shell.say(plan_sheet(*plan).text(false));
  if (shell.confirm("Proceed?")) return ok();
  return Error{Code::conflict,
               "nothing was changed, because the question was not answered with y; "
               "`-y` asks nothing"};
}

Result<int> apply(Shell& shell, ApplyOptions const& options) {
  auto spec = read_spec(options.file);
  if (!spec) return spec.error();
  if (auto agreed = agree(shell, *spec); !agreed) return agreed.error();
  if (auto sent = send_workdir(shell, spec->name, *spec); !sent) return sent.error();
  crypto::SystemEntropy entropy;
  JobSubmit const submit{JobId{crypto::uuid7(entropy, now())}, *spec};
  auto const accepted = ask(shell, Service::deployer, submit);
  if (!accepted) return accepted.error();
  emit(shell, *accepted, accepted_sheet(*accepted, spec->name));
  if (accepted->state == JobState::refused) return exit_status(Code::exhausted);
  if (options.wait) return wait_for_end(shell, accepted->job);
  shell.next("lepton job logs -f " + spec->name);
  shell.next("lepton job show " + accepted->job.value);
  if (accepted->state == JobState::queued) shell.next("lepton job explain " + accepted->job.value);
  shell.next("lepton job cancel " + accepted->job.value);
  return 0;
}

Command apply_command() {
  auto const o = std::make_shared<ApplyOptions>();
  Command c{"apply", "Submits the job of a spec file",
            "lepton apply -f examples/digits/train.yaml\nlepton apply -f train.yaml --wait"};
  c.required("-f,--file", "Spec file (YAML), or - for standard input", &o->file)
      .flag("-w,--wait", "Wait until it ends; the exit status is 0 when it succeeded", &o->wait);
  c.run = [o](Shell& shell) { return apply(shell, *o); };
  return c;
}

Result<int> plan(Shell& shell, std::string const& file) {
  auto const spec = read_spec(file);
  if (!spec) return spec.error();
  auto const plan = ask(shell, Service::deployer, plan_of(*spec));
  if (!plan) return plan.error();
  emit(shell, *plan, plan_sheet(*plan));
  if (plan->never)
    shell.say("it can never start here as it is; `lepton node list` shows what there is");
  if (!plan->never) shell.next("lepton apply -f " + file);
  return plan->changes.empty() ? 0 : exit_changes;
}

Command plan_command() {
  auto const file = std::make_shared<std::string>();
  Command c{"plan",
            "Says what apply would do, and changes nothing (exit 0 nothing, 1 changes, 255 error)",
            "lepton plan -f examples/digits/train.yaml"};
  c.required("-f,--file", "Spec file (YAML), or - for standard input", file.get());
  c.run = [file](Shell& shell) { return plan(shell, *file); };
  c.error_status = exit_plan_error;
  return c;
}

struct ListOptions {
  std::string owner, state, pool;
  bool all = false;
  bool expand = false;
  std::int64_t limit = 50;
};

Result<int> list(Shell& shell, ListOptions const& o) {
  if (!o.state.empty() && codec::enum_from_name<JobState>(o.state) == JobState::unknown) {
    auto const known = enumerators(JobState{});
    std::vector<std::string> const names(known.begin() + 1, known.end());
    return Error{Code::invalid, "--state: '" + o.state + "' is not one of " +
                                    text::join(names, ", ") + text::did_you_mean(o.state, names)};
  }
  if (o.limit < 1 || o.limit > 1000) return Error{Code::invalid, "--limit must be from 1 to 1000"};
  auto const page = ask(shell, Service::deployer,
                        JobList{o.all ? "all" : o.owner, o.state, PoolId{o.pool},
                                static_cast<std::uint32_t>(o.limit), o.expand});
  if (!page) return page.error();
  emit(shell, *page, job_table(*page, now()));
  if (page->jobs.empty()) shell.next("lepton apply -f SPEC");
  if (page->total > page->jobs.size())
    shell.say("shown " + std::to_string(page->jobs.size()) + " of " + std::to_string(page->total) +
              "; --limit shows more");
  return 0;
}

Command list_command() {
  auto const o = std::make_shared<ListOptions>();
  Command c{"job list", "Lists jobs, newest first", "lepton job list --state running -o json"};
  c.option("--owner", "Only of this owner; else your own", &o->owner)
      .flag("-a,--all", "Of all owners", &o->all)
      .option("--state", "Only in this state", &o->state)
      .option("--pool", "Only in this pool", &o->pool)
      .flag("--expand", "Each job of an array on a line of its own", &o->expand)
      .option("--limit", "At most so many", &o->limit);
  c.run = [o](Shell& shell) { return list(shell, *o); };
  return c;
}

Result<int> show(Shell& shell, std::string const& job) {
  auto const view = ask(shell, Service::deployer, JobShow{JobId{job}});
  if (!view) return view.error();
  emit(shell, *view, job_sheet(*view, now()));
  if (shell.format == Format::table && !view->tasks.empty())
    shell.print("\n" + task_table(*view).text(shell.colour));
  return 0;
}

Command show_command() {
  auto const job = std::make_shared<std::string>();
  Command c{"job show", "Shows one job and why it waits or how it ended", "lepton job show digits"};
  c.required("JOB", "Identity, a unique start of it, or the name of your newest job", job.get());
  c.run = [job](Shell& shell) { return show(shell, *job); };
  return c;
}

Command logs_command() {
  auto const o = std::make_shared<LogOptions>();
  Command c{"job logs", "Prints what a task wrote",
            "lepton job logs -f digits\nlepton job logs train --task 3"};
  c.required("JOB", "Identity, a unique start of it, or the name of your newest job", &o->job)
      .flag("-f,--follow", "Go on until the task ends", &o->follow)
      .option("--task", "Index of the task in a gang", &o->task)
      .option("--offset", "From which byte", &o->offset);
  c.run = [o](Shell& shell) { return print_logs(shell, *o); };
  return c;
}

struct CancelOptions {
  std::string job, reason;
};

Result<int> cancel(Shell& shell, CancelOptions const& o) {
  auto const cancelled = ask(shell, Service::deployer, JobCancel{JobId{o.job}, o.reason});
  if (!cancelled) return cancelled.error();
  emit(shell, *cancelled,
       Table::sheet()
           .row({"ID", cancelled->job.value})
           .row({"STATUS", std::string(schema::name_of(cancelled->state))}));
  shell.next("lepton job show " + cancelled->job.value);
  return 0;
}

Command cancel_command() {
  auto const o = std::make_shared<CancelOptions>();
  Command c{"job cancel", "Ends a job", "lepton job cancel digits --reason 'wrong data'"};
  c.required("JOB", "Identity, a unique start of it, or the name of your newest job", &o->job)
      .option("--reason", "For the record", &o->reason);
  c.run = [o](Shell& shell) { return cancel(shell, *o); };
  return c;
}

Command fetch_command() {
  auto const o = std::make_shared<FetchOptions>();
  Command c{"job fetch", "Brings back what ended tasks have left in $LEPTON_OUTPUT_DIR",
            "lepton job fetch digits\nlepton job fetch digits results/digits --overwrite"};
  c.required("JOB", "Identity, a unique start of it, or the name of your newest job", &o->job)
      .option("DIR", "Folder to write into; else one named after the job", &o->folder)
      .flag("--overwrite", "Replaces files that are there and differ", &o->overwrite)
      .option("--limit-gib", "Refuses more than that", &o->limit_gib);
  c.run = [o](Shell& shell) { return fetch_outputs(shell, *o); };
  return c;
}

}  // namespace

Commands job_commands() {
  return {apply_command(),  plan_command(),   list_command(),    show_command(),  logs_command(),
          cancel_command(), resize_command(), explain_command(), fetch_command(), exec_command()};
}

}  // namespace lepton::cli
