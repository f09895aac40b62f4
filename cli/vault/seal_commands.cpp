// vault init|unseal|seal|status|rotate.

#include <unistd.h>

#include <memory>

#include "cli/connect.hpp"
#include "cli/output/emit.hpp"
#include "cli/vault/secret_input.hpp"
#include "cli/vault/vault_commands.hpp"
#include "common/crypto/encode.hpp"
#include "schemas/vault.hpp"

namespace lepton::cli {
namespace {

std::string seal_word(VaultState const& state) {
  if (!state.initialised) return "not initialised";
  return state.sealed ? "sealed" : "unsealed";
}

Table state_sheet(VaultState const& s) {
  return Table::sheet()
      .row({"STATUS", seal_word(s)})
      .row({"KEYS", std::to_string(s.keys)})
      .row({"SECRETS", std::to_string(s.secrets)})
      .row({"TOKENS", std::to_string(s.tokens)})
      .row({"POLICIES", std::to_string(s.policies)})
      .row({"REVISION", std::to_string(s.revision)});
}

// What to do about the state, if anything.
void advise(Shell& shell, VaultState const& state) {
  if (!state.initialised) return shell.next("lepton vault init");
  shell.next(state.sealed ? "lepton vault unseal" : "lepton secret put ml/hf");
}

struct InitOptions {
  std::string subject = "admin";
  std::string key_file;
};

// The key is safe before the vault hears of it: a vault whose key was lost on the way would stay
// shut for ever. A file that is there already is from an attempt that did not get through.
Result<Secret<>> make_root_key(Shell& shell, std::string const& file) {
  auto kept =
      file.empty() ? Result<std::string>(Error{Code::not_found, ""}) : read_private_file(file);
  if (kept) return Secret<>(std::string(text::trim(*kept)));
  if (kept.error().code != Code::not_found) return kept.error();
  Secret<> key(crypto::base64url(crypto::SystemEntropy().bytes(32)));
  if (!file.empty()) {
    if (auto written = write_private_file(file, key.reveal() + "\n"); !written)
      return written.error();
    shell.say("the root key is in " + file + "; keep a copy in another place");
    return key;
  }
  shell.say(
      "the root key follows; keep it in a safe place, it is shown once and nobody can restore it:");
  shell.print(key.reveal() + "\n");
  return key;
}

// Named file, else the file of an embedded setup, else typed.
Result<Secret<>> root_key(Shell& shell, ClientContext const& context, std::string const& file) {
  auto where = file;
  if (where.empty() && ::access(context.root_key_file.c_str(), F_OK) == 0)
    where = context.root_key_file;
  return read_secret(shell, "the root key", where);
}

// A vault that has its keyring gives the holder of the root key a new first token.
Result<int> init(Shell& shell, InitOptions const& o) {
  auto const context = shell.context();
  if (!context) return context.error();
  auto const state = ask(shell, Service::vault, VaultStatus{});
  if (!state) return state.error();
  auto const file = o.key_file.empty() ? context->root_key_file : o.key_file;
  auto const key =
      state->initialised ? root_key(shell, *context, o.key_file) : make_root_key(shell, file);
  if (!key) return key.error();
  VaultInit request;
  request.root_key = *key;
  request.subject = o.subject;
  auto const issued = ask(shell, Service::vault, request);
  if (!issued) return issued.error();
  auto const saved = write_private_file(context->token_file, issued->token.reveal() + "\n");
  if (!saved) return saved.error();
  shell.say("the vault is open, and the token of " + o.subject + " is in " + context->token_file);
  shell.next("lepton secret put ml/hf");
  return 0;
}

Command init_command() {
  auto const o = std::make_shared<InitOptions>();
  Command c{"vault init",
            "Makes the keyring, the root key and the first token; later, with the root key, a new "
            "first token",
            "lepton vault init --subject ann --key-file /root/lepton-root.key"};
  c.option("--subject", "Name of the first administrator", &o->subject)
      .option("--key-file", "Where the root key goes, mode 0600; else it is shown once",
              &o->key_file);
  c.run = [o](Shell& shell) { return init(shell, *o); };
  return c;
}

Result<int> unseal(Shell& shell, std::string const& file) {
  auto const context = shell.context();
  if (!context) return context.error();
  auto key = root_key(shell, *context, file);
  if (!key) return key.error();
  VaultUnseal request;
  request.root_key = std::move(*key);
  auto const state = ask(shell, Service::vault, request);
  if (!state) return state.error();
  emit(shell, *state, state_sheet(*state));
  return 0;
}

Command unseal_command() {
  auto const file = std::make_shared<std::string>();
  Command c{"vault unseal", "Opens the vault with the root key",
            "lepton vault unseal\nlepton vault unseal --file - < root.key"};
  c.option("--file",
           "File of the root key, - for standard input; else that of the embedded setup, or typed",
           file.get());
  c.run = [file](Shell& shell) { return unseal(shell, *file); };
  return c;
}

template <class M>
Command plain_command(std::string words, std::string summary) {
  Command c{words, std::move(summary), "lepton " + words};
  c.run = [](Shell& shell) -> Result<int> {
    auto const state = ask(shell, Service::vault, M{});
    if (!state) return state.error();
    emit(shell, *state, state_sheet(*state));
    advise(shell, *state);
    return 0;
  };
  return c;
}

}  // namespace

Commands vault_commands() {
  Commands all{init_command(), unseal_command(),
               plain_command<VaultSeal>("vault seal",
                                        "Forgets the keys: secrets cannot be read until unsealed"),
               plain_command<VaultStatus>("vault status",
                                          "Shows whether the vault is sealed, and what it holds"),
               plain_command<VaultRotate>(
                   "vault rotate", "Seals new values with a new key; old ones stay readable")};
  for (auto const& some : {secret_commands(), token_commands(), policy_commands()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

}  // namespace lepton::cli
