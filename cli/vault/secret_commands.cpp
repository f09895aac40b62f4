// secret put|get|list|remove.

#include <unistd.h>

#include <memory>

#include "cli/connect.hpp"
#include "cli/output/emit.hpp"
#include "cli/output/words.hpp"
#include "cli/vault/secret_input.hpp"
#include "cli/vault/vault_commands.hpp"
#include "schemas/vault.hpp"

namespace lepton::cli {
namespace {

Table info_sheet(SecretInfo const& info) {
  return Table::sheet()
      .row({"SECRET", secret_name(info.path)})
      .row({"VERSION", std::to_string(info.version)})
      .row({"CREATED", time_words(info.created_at_ms)})
      .row({"BY", info.created_by});
}

struct PutOptions {
  std::string path, file;
  bool input = false;
  std::int64_t expected = -1;
};

Result<int> put(Shell& shell, PutOptions const& o) {
  auto const path = secret_path(o.path);
  if (!path) return path.error();
  auto value = read_secret(shell, "the value", o.file);
  if (!value) return value.error();
  SecretPut request;
  request.path = *path;
  request.value = std::move(*value);
  if (o.expected >= 0) request.expected = static_cast<std::uint32_t>(o.expected);
  auto const info = ask(shell, Service::vault, request);
  if (!info) return info.error();
  emit(shell, *info, info_sheet(*info));
  shell.say("use it in a spec: secrets: {NAME: vault://" + secret_name(*path) + "}");
  return 0;
}

Command put_command() {
  auto const o = std::make_shared<PutOptions>();
  Command c{"secret put", "Stores a new version of a secret",
            "lepton secret put ml/hf\nlepton secret put ml/hf < token.txt"};
  c.required("PATH", "Name of the secret, for example ml/hf", &o->path)
      .option("--file",
              "Read the value from this file; else it is typed, or read from standard input",
              &o->file)
      .flag("--stdin", "Read the value from standard input, as happens anyway where no person sits",
            &o->input)
      .option("--expected", "Only if this is the latest version; 0: only if there is none",
              &o->expected);
  c.run = [o](Shell& shell) { return put(shell, *o); };
  return c;
}

struct GetOptions {
  std::string path;
  std::int64_t version = 0;
};

Result<int> get(Shell& shell, GetOptions const& o) {
  auto const path = secret_path(o.path);
  if (!path) return path.error();
  SecretGet request;
  request.path = *path;
  if (o.version > 0) request.version = static_cast<std::uint32_t>(o.version);
  auto const secret = ask(shell, Service::vault, request);
  if (!secret) return secret.error();
  if (shell.format == Format::json || shell.format == Format::yaml) {
    auto tree = codec::to_tree(secret->info);
    tree.entries.emplace_back("value", codec::Tree::of_text(secret->value.reveal()));
    shell.print(formed(shell.format, false, tree, Table::sheet()));
    return 0;
  }
  shell.print(secret->value.reveal());
  if (::isatty(STDOUT_FILENO) == 1) shell.print("\n");
  return 0;
}

Command get_command() {
  auto const o = std::make_shared<GetOptions>();
  Command c{"secret get", "Prints the value of a secret; the audit log keeps that it was read",
            "lepton secret get ml/hf"};
  c.required("PATH", "Name of the secret, for example ml/hf", &o->path)
      .option("--version", "Which version; else the latest", &o->version);
  c.run = [o](Shell& shell) { return get(shell, *o); };
  return c;
}

Result<int> list(Shell& shell, std::string const& prefix) {
  SecretList request;
  if (!prefix.empty()) {
    auto const path = secret_path(prefix);
    if (!path) return path.error();
    request.prefix = *path;
  }
  auto const page = ask(shell, Service::vault, request);
  if (!page) return page.error();
  Table table({"SECRET", "VERSION", "CREATED", "BY"});
  for (auto const& s : page->secrets)
    table.row({secret_name(s.path), std::to_string(s.version), time_words(s.created_at_ms),
               s.created_by});
  emit(shell, *page, table);
  if (page->secrets.empty()) shell.next("lepton secret put ml/hf");
  return 0;
}

Command list_command() {
  auto const prefix = std::make_shared<std::string>();
  Command c{"secret list", "Lists secrets by name, without values", "lepton secret list ml"};
  c.option("PREFIX", "Only below this path", prefix.get());
  c.run = [prefix](Shell& shell) { return list(shell, *prefix); };
  return c;
}

Result<int> remove(Shell& shell, std::string const& named) {
  auto const path = secret_path(named);
  if (!path) return path.error();
  if (!shell.confirm("Remove all versions of " + secret_name(*path) + "?"))
    return Error{Code::conflict, "nothing was removed; `-y` asks nothing"};
  auto const removed = ask(shell, Service::vault, SecretRemove{*path});
  if (!removed) return removed.error();
  emit(shell, *removed, Table::sheet().row({"REMOVED", secret_name(removed->path)}));
  return 0;
}

Command remove_command() {
  auto const path = std::make_shared<std::string>();
  Command c{"secret remove", "Removes a secret with all its versions",
            "lepton secret remove ml/hf"};
  c.required("PATH", "Name of the secret, for example ml/hf", path.get());
  c.run = [path](Shell& shell) { return remove(shell, *path); };
  return c;
}

}  // namespace

Commands secret_commands() {
  return {put_command(), get_command(), list_command(), remove_command()};
}

}  // namespace lepton::cli
