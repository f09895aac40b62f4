#include <limits>
#include <memory>

#include "cli/connect.hpp"
#include "cli/output/emit.hpp"
#include "cli/services/service_commands.hpp"
#include "cli/spec/service_spec.hpp"
#include "cli/workdir/upload.hpp"

namespace lepton::cli {
namespace {

constexpr char const* name_doc = "Name of the service, as in `lepton service list`";

WallMs now() {
  return SystemClock().wall_ms();
}

Command apply_command() {
  auto const file = std::make_shared<std::string>();
  Command c{"service apply", "Starts the service of a spec file, or rolls out what has changed",
            "lepton service apply examples/digits/serve.yaml"};
  c.required("FILE", "Spec file (YAML) with type: service, or - for standard input", file.get());
  c.run = [file](Shell& shell) -> Result<int> {
    auto spec = read_service_spec(*file);
    if (!spec) return spec.error();
    if (auto sent = send_workdir(shell, spec->name, spec->task); !sent) return sent.error();
    return show_applied(shell, ask(shell, Service::deployer, ServiceApply{*spec}));
  };
  return c;
}

Command show_command() {
  auto const service = std::make_shared<std::string>();
  Command c{"service show", "Shows a service and its replicas", "lepton service show digits"};
  c.required("SERVICE", name_doc, service.get());
  c.run = [service](Shell& shell) -> Result<int> {
    auto const view = ask(shell, Service::deployer, ServiceShow{*service});
    if (!view) return view.error();
    emit(shell, *view, service_sheet(*view));
    if (shell.format == Format::table && !view->replicas.empty())
      shell.print("\n" + replica_table(*view, now()).text(shell.colour));
    return 0;
  };
  return c;
}

Command list_command() {
  auto const limit = std::make_shared<std::int64_t>(100);
  Command c{"service list", "Lists services: ready and wanted replicas, revision, address",
            "lepton service list -o json"};
  c.option("--limit", "At most so many", limit.get());
  c.run = [limit](Shell& shell) -> Result<int> {
    if (*limit < 1 || *limit > 1000) return Error{Code::invalid, "--limit must be from 1 to 1000"};
    auto const page =
        ask(shell, Service::deployer, ServiceList{static_cast<std::uint32_t>(*limit)});
    if (!page) return page.error();
    emit(shell, *page, service_table(*page));
    if (page->services.empty()) shell.next("lepton service apply --help");
    return 0;
  };
  return c;
}

Command history_command() {
  auto const service = std::make_shared<std::string>();
  Command c{"service history", "Lists the revisions of a service", "lepton service history digits"};
  c.required("SERVICE", name_doc, service.get());
  c.run = [service](Shell& shell) -> Result<int> {
    auto const page = ask(shell, Service::deployer, ServiceHistory{*service});
    if (!page) return page.error();
    emit(shell, *page, revision_table(*page, now()));
    shell.next("lepton service revert " + *service + " --to REVISION");
    return 0;
  };
  return c;
}

struct RevertOptions {
  std::string service;
  std::int64_t revision = 0;
};

Command revert_command() {
  auto const o = std::make_shared<RevertOptions>();
  Command c{"service revert", "Rolls out the template of an earlier revision, as a new one",
            "lepton service revert digits\nlepton service revert digits --to 3"};
  c.required("SERVICE", name_doc, &o->service)
      .option("--to", "Which revision; left out: the last one with another template", &o->revision);
  c.run = [o](Shell& shell) -> Result<int> {
    if (o->revision < 0 || o->revision > std::numeric_limits<std::int32_t>::max())
      return Error{Code::invalid, "--to: expected the number of a revision"};
    ServiceRevert const revert{o->service, static_cast<std::uint32_t>(o->revision)};
    return show_applied(shell, ask(shell, Service::deployer, revert));
  };
  return c;
}

Command remove_command() {
  auto const service = std::make_shared<std::string>();
  Command c{"service remove", "Drains and stops all replicas of a service, and forgets it",
            "lepton service remove digits -y"};
  c.required("SERVICE", name_doc, service.get());
  c.run = [service](Shell& shell) -> Result<int> {
    if (!shell.yes && shell.person && !shell.confirm("Remove service " + *service + "?"))
      return Error{Code::conflict, "nothing was changed; `-y` asks nothing"};
    auto const removed = ask(shell, Service::deployer, ServiceRemove{*service});
    if (!removed) return removed.error();
    emit(shell, *removed,
         Table::sheet()
             .row({"SERVICE", removed->service})
             .row({"ENDING", std::to_string(removed->replicas) + " replicas"}));
    return 0;
  };
  return c;
}

}  // namespace

Commands serving_commands() {
  return {apply_command(),   show_command(),   list_command(),
          history_command(), revert_command(), remove_command()};
}

}  // namespace lepton::cli
