#include "cli/services/service_commands.hpp"

#include <limits>
#include <memory>

#include "cli/connect.hpp"
#include "cli/output/emit.hpp"

namespace lepton::cli {
namespace {

constexpr char const* name_doc = "Name of the service, as in `lepton service list`";

Result<int> show_wanted(Shell& shell, std::string const& service, Result<ScaleWanted> const& got) {
  if (!got) return got.error();
  emit(shell, *got,
       Table::sheet()
           .row({"SERVICE", service})
           .row({"WANTED", std::to_string(got->wanted)})
           .row({"CHANGE", std::to_string(got->number)}));
  shell.next("lepton service explain " + service);
  return 0;
}

Command autoscale_command() {
  auto const o = std::make_shared<AutoscaleOptions>();
  Command c{"service autoscale", "Lets a policy decide how many replicas a service has",
            "lepton service autoscale web --min 1 --max 3 --signal requests_per_s --per-replica 50 "
            "--policy kpa"};
  c.required("SERVICE", "Name of the service, a DNS label", &o->service)
      .option("--min", "Replicas at least; 0 lets an idle service go to zero", &o->min)
      .option("--max", "Replicas at most", &o->max)
      .option("--policy", "threshold, hpa, kpa, staffing or adjustment", &o->policy)
      .option("--signal", "requests_per_s, concurrency, cpu or gpu", &o->signal)
      .option("--per-replica", "How much of it one replica should carry", &o->per_replica)
      .option("--up-cooldown", "After a change, none upwards for so long", &o->up_cooldown)
      .option("--down-cooldown", "After a change, none downwards for so long", &o->down_cooldown)
      .option("--zero-after", "The last replica goes after so long without requests",
              &o->zero_after)
      .option("--keep", "With adjustment: how much of the replicas stays by itself", &o->keep)
      .option("--share", "With adjustment: its share of the change", &o->share)
      .option("--period", "With adjustment: one step in each", &o->period)
      .option("--follows", "With adjustment: the service whose signal counts", &o->follows)
      .option("--replicas", "Replicas that run already, the first time", &o->replicas);
  c.run = [o](Shell& shell) -> Result<int> {
    auto const put = autoscale_request(*o);
    if (!put) return put.error();
    return show_wanted(shell, o->service, ask(shell, Service::scaler, *put));
  };
  return c;
}

struct ScaleOptions {
  std::string service;
  std::string replicas;
};

Command scale_command() {
  auto const o = std::make_shared<ScaleOptions>();
  Command c{"service scale", "Sets a number of replicas by hand, within the limits",
            "lepton service scale web 3"};
  c.required("SERVICE", name_doc, &o->service)
      .required("REPLICAS", "How many from now on", &o->replicas);
  c.run = [o](Shell& shell) -> Result<int> {
    auto const count = text::parse_int(o->replicas);
    if (!count || *count < 0 || *count > std::numeric_limits<std::int32_t>::max())
      return Error{Code::invalid,
                   "REPLICAS: expected a number such as 3, got '" + o->replicas + "'"};
    ServiceScale const message{o->service, static_cast<std::uint32_t>(*count)};
    auto const scaled = ask(shell, Service::scaler, message);
    if (scaled || scaled.error().code != Code::not_found)
      return show_wanted(shell, o->service, scaled);
    ServiceResize const by_hand{o->service, static_cast<std::uint32_t>(*count)};
    return show_applied(shell, ask(shell, Service::deployer, by_hand));
  };
  return c;
}

struct ListOptions {
  std::int64_t limit = 100;
};

Result<int> list(Shell& shell, ListOptions const& o) {
  if (o.limit < 1 || o.limit > 1000) return Error{Code::invalid, "--limit must be from 1 to 1000"};
  auto const page =
      ask(shell, Service::scaler, ScaledServiceList{"", static_cast<std::uint32_t>(o.limit)});
  if (!page) return page.error();
  emit(shell, *page, scaled_table(*page, SystemClock().wall_ms()));
  if (page->total > page->services.size())
    shell.say("shown " + std::to_string(page->services.size()) + " of " +
              std::to_string(page->total) + "; --limit shows more");
  if (page->services.empty()) shell.next("lepton service autoscale --help");
  return 0;
}

Command list_command() {
  auto const o = std::make_shared<ListOptions>();
  Command c{"service scaled", "Lists the services that the scaler decides about",
            "lepton service scaled -o json"};
  c.option("--limit", "At most so many", &o->limit);
  c.run = [o](Shell& shell) { return list(shell, *o); };
  return c;
}

struct ExplainOptions {
  std::string service;
  std::int64_t limit = 20;
};

Result<int> explain(Shell& shell, ExplainOptions const& o) {
  if (o.limit < 0 || o.limit > 1000) return Error{Code::invalid, "--limit must be from 0 to 1000"};
  auto const told =
      ask(shell, Service::scaler, ServiceExplain{o.service, static_cast<std::uint32_t>(o.limit)});
  if (!told) return told.error();
  auto const now = SystemClock().wall_ms();
  emit(shell, *told, explanation_sheet(*told, now));
  if (shell.format == Format::table && !told->changes.empty())
    shell.print("\n" + change_table(*told, now).text(shell.colour));
  return 0;
}

Command explain_command() {
  auto const o = std::make_shared<ExplainOptions>();
  Command c{"service explain", "Says why a service has the replicas that it has",
            "lepton service explain web"};
  c.required("SERVICE", name_doc, &o->service)
      .option("--limit", "At most so many changes", &o->limit);
  c.run = [o](Shell& shell) { return explain(shell, *o); };
  return c;
}

Command release_command() {
  auto const service = std::make_shared<std::string>();
  Command c{"service release", "Ends the scaling of a service; its replicas stay",
            "lepton service release web"};
  c.required("SERVICE", name_doc, service.get());
  c.run = [service](Shell& shell) -> Result<int> {
    auto const last = ask(shell, Service::scaler, ServiceScaleRemove{*service});
    if (!last) return last.error();
    emit(shell, *last,
         Table::sheet()
             .row({"SERVICE", *service})
             .row({"REPLICAS", std::to_string(last->replicas)}));
    return 0;
  };
  return c;
}

}  // namespace

Result<int> show_applied(Shell& shell, Result<ServiceApplied> const& got) {
  if (!got) return got.error();
  auto sheet = Table::sheet();
  sheet.row({"SERVICE", got->service})
      .row({"REVISION", std::to_string(got->revision) + (got->changed ? "" : ", as it was")})
      .row({"REPLICAS", std::to_string(got->replicas)});
  if (got->port != 0) sheet.row({"PORT", std::to_string(got->port)});
  emit(shell, *got, sheet);
  shell.next("lepton service show " + got->service);
  return 0;
}

Commands service_commands() {
  return {autoscale_command(), scale_command(), list_command(), explain_command(),
          release_command()};
}

}  // namespace lepton::cli
