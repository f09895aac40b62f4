#include "cli/up/layout.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <iterator>

#include "cli/context.hpp"

namespace lepton::cli {
namespace fs = std::filesystem;
namespace {

std::string environment(char const* name) {
  auto const* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<fs::path> home_folder(char const* variable, char const* below_home) {
  if (auto const value = environment(variable); value.starts_with('/')) return fs::path(value);
  auto const home = environment("HOME");
  if (!home.starts_with('/'))
    return Error{
        Code::invalid,
        fmt::format("neither {} nor HOME is an absolute path; name a folder by --state", variable)};
  return fs::path(home) / below_home;
}

Result<fs::path> default_state() {
  if (geteuid() == 0) return fs::path("/var/lib/lepton");
  auto const base = home_folder("XDG_STATE_HOME", ".local/state");
  if (!base) return base.error();
  return *base / "lepton";
}

Result<fs::path> default_run(fs::path const& state, bool chosen) {
  if (auto const run = environment("LEPTON_RUN"); !run.empty()) return fs::absolute(run);
  if (chosen) return state / "run";
  if (geteuid() == 0) return fs::path("/run/lepton");
  auto const runtime = environment("XDG_RUNTIME_DIR");
  return runtime.starts_with('/') ? fs::path(runtime) / "lepton" : state / "run";
}

Status make_folder(fs::path const& path, fs::perms mode) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error) fs::permissions(path, mode, error);
  if (!error) return ok();
  bool const denied = error == std::errc::permission_denied;
  bool const full = error == std::errc::no_space_on_device;
  return Error{denied ? Code::denied : (full ? Code::exhausted : Code::internal),
               fmt::format("cannot make the folder {}: {}; {}", path.string(), error.message(),
                           full ? "free some disk space" : "choose another by --state DIR")};
}

}  // namespace

std::vector<std::string> service_names() {
  return {std::begin(stack_services), std::end(stack_services)};
}

Result<Layout> find_layout(std::string const& state, std::string const& context) {
  auto const named = state.empty() ? environment("LEPTON_STATE") : state;
  Layout layout;
  if (named.empty()) {
    auto const standard = default_state();
    if (!standard) return standard.error();
    layout.state = *standard;
  } else {
    layout.state = fs::absolute(named).lexically_normal();
    if (!layout.state.has_filename()) layout.state = layout.state.parent_path();
  }
  auto const run = default_run(layout.state, !named.empty());
  if (!run) return run.error();
  layout.run = *run;
  bool const beside = context.empty() && !state.empty() && environment("LEPTON_CONTEXT").empty();
  layout.context = beside ? (layout.state / "client.yaml").string()
                          : (context.empty() ? default_context_path() : context);
  return layout;
}

Status make_folders(Layout const& layout) {
  bool const root = geteuid() == 0;
  using fs::perms;
  auto const closed = perms::owner_all;
  auto const passable = root ? closed | perms::group_exec | perms::others_exec : closed;
  auto status = make_folder(layout.state, passable);
  if (status) status = make_folder(layout.run, passable);
  if (status) status = make_folder(layout.node(), passable);
  for (auto const* name : {"keys", "config", "log", "database"})
    if (status) status = make_folder(layout.state / name, closed);
  return status;
}

Result<fs::path> find_program(std::string const& name) {
  std::error_code error;
  auto const self = fs::read_symlink("/proc/self/exe", error);
  auto const program = self.parent_path() / name;
  if (!error && access(program.c_str(), X_OK) == 0) return program;
  return Error{Code::not_found,
               fmt::format("there is no program {} beside this one; build all of it with "
                           "scripts/build, or install the whole package",
                           program.string())};
}

Result<fs::path> find_migrations() {
  if (auto const named = environment("LEPTON_SQL"); !named.empty()) return fs::absolute(named);
  std::error_code error;
  auto const self = fs::read_symlink("/proc/self/exe", error);
  auto const bin = self.parent_path();
  std::vector<fs::path> const places{bin.parent_path() / "share/lepton/sql",
                                     bin.parent_path().parent_path() / "schemas/sql",
                                     bin.parent_path().parent_path().parent_path() / "schemas/sql"};
  for (auto const& place : places)
    if (fs::is_directory(place / "platform", error)) return place;
  return Error{Code::not_found,
               fmt::format("the database migrations are not in {}; name their folder by LEPTON_SQL",
                           places.front().string())};
}

}  // namespace lepton::cli
