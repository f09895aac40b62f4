#include "cli/stack/stack_folder.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/up/settings.hpp"
#include "common/codec/yaml.hpp"

namespace lepton::cli {
namespace fs = std::filesystem;
namespace {

Error failed(std::string const& doing, fs::path const& path, int number) {
  return {number == EPERM || number == EACCES ? Code::denied : Code::internal,
          fmt::format("cannot {} {}: {}", doing, path.string(), std::strerror(number))};
}

Status make_folder(fs::path const& path, mode_t mode) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return failed("make the folder", path, error.value());
  // Of somebody else: it was handed over at an earlier time.
  if (::chmod(path.c_str(), mode) != 0 && errno != EPERM) return failed("close", path, errno);
  return ok();
}

Status give(fs::path const& path, Account const& account) {
  if (::lchown(path.c_str(), account.uid, account.gid) == 0) return ok();
  return failed("give to the account of the stack", path, errno);
}

}  // namespace

Result<Layout> find_stack(std::string const& folder) {
  std::error_code error;
  auto const path = fs::weakly_canonical(fs::absolute(folder), error);
  if (error) return failed("find", folder, error.value());
  if (path.string().find_first_of(" \t\n:$\"'\\") != std::string::npos)
    return Error{
        Code::invalid,
        fmt::format("'{}' cannot be mounted into containers; choose a path without blanks, "
                    "colons, quotes and dollar signs",
                    path.string())};
  Layout layout;
  layout.state = path.has_filename() ? path : path.parent_path();
  layout.run = layout.state / "run";
  layout.context = layout.state / "client.yaml";
  layout.apart = true;
  return layout;
}

Result<Account> account_of(Layout const& layout) {
  if (::geteuid() != 0) return Account{::geteuid(), ::getegid()};
  struct stat info {};
  if (::stat(layout.state.c_str(), &info) == 0 && info.st_uid != 0)
    return Account{info.st_uid, info.st_gid};
  return Account{stack_uid, stack_uid};
}

Status make_stack_folders(Layout const& layout) {
  auto status = make_folder(layout.state, 0700);
  auto names = service_names();
  for (auto const& name : names)
    if (status) status = make_folder(layout.login(name), 0700);
  names.insert(names.end(), {"admin", "node", "haproxy", "prometheus"});
  for (auto const& name : names)
    if (status) status = make_folder(layout.part(name), 0700);
  for (auto const& folder : {layout.login("reader"), layout.node_token().parent_path(),
                             layout.postgres_data().parent_path(), layout.postgres_socket(),
                             layout.haproxy_socket().parent_path(), layout.state / "prometheus"})
    if (status) status = make_folder(folder, 0700);
  // Tasks, which run as another user, pass through to their own folders.
  return status ? make_folder(layout.node(), 0711) : status;
}

Status hand_over(Layout const& layout, Account const& account) {
  if (::geteuid() != 0) return ok();
  auto status = give(layout.state, account);
  std::error_code error;
  for (fs::recursive_directory_iterator i(layout.state, error), end; status && i != end;
       i.increment(error)) {
    auto const& path = i->path();
    bool const filled_inside = path == layout.node() ||
                               path == layout.postgres_data().parent_path() ||
                               path == layout.state / "prometheus";
    if (filled_inside) i.disable_recursion_pending();
    if (path != layout.node()) status = give(path, account);
  }
  if (status && error) return failed("read", layout.state, error.value());
  return status;
}

Result<StackPlan> plan_inside(Layout const& layout) {
  auto const settings = read_settings(layout);
  if (!settings) return settings.error();
  auto const text = read_private_file(layout.public_keys());
  if (!*settings || !text)
    return Error{Code::not_found, fmt::format("{} holds no stack; make one with `lepton stack "
                                              "prepare {}`",
                                              layout.state.string(), layout.state.string())};
  auto keys = codec::from_yaml<PublicKeys>(*text);
  if (!keys) return Error{Code::invalid, layout.public_keys().string() + ": " + keys.error().what};
  for (auto const* name : {"vault", "auditor", "deployer", "scaler", "monitor", "admin", "node"})
    if (!keys->keys.contains(name))
      return Error{Code::invalid, fmt::format("{} names no key of {}; prepare the stack again",
                                              layout.public_keys().string(), name)};
  StackPlan plan{layout, **settings, std::move(keys->keys)};
  plan.from_inside = true;
  return plan;
}

fs::path prepared_mark(Layout const& layout) {
  return layout.postgres_socket() / "prepared";
}

}  // namespace lepton::cli
