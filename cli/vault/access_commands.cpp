// token create|revoke|list and policy put|list|remove.

#include <memory>

#include "cli/connect.hpp"
#include "cli/output/emit.hpp"
#include "cli/output/words.hpp"
#include "cli/spec/amounts.hpp"
#include "cli/vault/vault_commands.hpp"
#include "common/codec/yaml.hpp"
#include "schemas/vault_access.hpp"

namespace lepton::cli {
namespace {

std::string rule_words(PolicyRule const& rule) {
  std::vector<std::string> verbs;
  for (auto const verb : rule.verbs) verbs.emplace_back(schema::name_of(verb));
  return std::string(schema::name_of(rule.effect)) + " " + text::join(verbs, ",") + " " + rule.path;
}

struct CreateOptions {
  std::string subject = "operator";
  std::vector<std::string> policies;
  std::string key, ttl = "12h", save;
};

Result<int> create(Shell& shell, CreateOptions const& o) {
  auto const ttl = parse_duration_ms(o.ttl);
  if (!ttl) return Error{Code::invalid, "--ttl: " + ttl.error().what};
  auto const issued = ask(shell, Service::vault, TokenCreate{o.subject, o.policies, o.key, *ttl});
  if (!issued) return issued.error();
  auto const& claims = issued->claims;
  auto sheet = Table::sheet();
  sheet.row({"TOKEN", claims.token})
      .row({"SUBJECT", claims.subject})
      .row({"POLICIES", text::join(claims.policies, ", ")})
      .row({"EXPIRES", time_words(claims.expires_at_ms)});
  auto tree = codec::to_tree(claims);
  if (o.save.empty()) {
    sheet.row({"TEXT", issued->token.reveal()});
    tree.entries.emplace_back("text", codec::Tree::of_text(issued->token.reveal()));
  } else if (auto saved = write_private_file(o.save, issued->token.reveal() + "\n"); !saved) {
    return saved.error();
  }
  shell.print(formed(shell.format, shell.colour, tree, sheet));
  shell.say(o.save.empty()
                ? "the text of the token is shown once; whoever has it acts as " + claims.subject
                : "the text of the token is in " + o.save);
  if (claims.policies.empty())
    shell.say("it carries no policy, so that it may do nothing; --policy NAME gives it one");
  shell.next("lepton token revoke " + claims.token);
  return 0;
}

Command create_command() {
  auto const o = std::make_shared<CreateOptions>();
  Command c{"token create", "Issues a token that carries some of your own policies",
            "lepton token create --subject ann --policy user --ttl 8h --save ann.token"};
  c.option("--subject", "Who will hold it", &o->subject)
      .option("--policy", "A policy that it carries; may stand several times", &o->policies)
      .option("--key", "CURVE public key that it is bound to; else any key", &o->key)
      .option("--ttl", "How long it is valid, for example 8h", &o->ttl)
      .option("--save", "Write its text to this file, mode 0600, instead of showing it", &o->save);
  c.run = [o](Shell& shell) { return create(shell, *o); };
  return c;
}

Result<int> revoke(Shell& shell, std::string const& token) {
  auto const revoked = ask(shell, Service::vault, TokenRevoke{token});
  if (!revoked) return revoked.error();
  Table table({"REVOKED"});
  for (auto const& one : revoked->tokens) table.row({one});
  emit(shell, *revoked, table);
  shell.next("lepton token list");
  return 0;
}

Command revoke_command() {
  auto const token = std::make_shared<std::string>();
  Command c{"token revoke", "Ends a token and all that came from it", "lepton token revoke TOKEN"};
  c.required("TOKEN", "Identity of the token, as in `lepton token list`; not its text",
             token.get());
  c.run = [token](Shell& shell) { return revoke(shell, *token); };
  return c;
}

Command token_list_command() {
  Command c{"token list", "Lists live tokens", "lepton token list"};
  c.run = [](Shell& shell) -> Result<int> {
    auto const page = ask(shell, Service::vault, TokenList{1000});
    if (!page) return page.error();
    Table table({"TOKEN", "SUBJECT", "POLICIES", "BOUND", "EXPIRES"});
    for (auto const& t : page->tokens)
      table.row({t.token, t.subject, text::join(t.policies, ","), t.key.empty() ? "no" : "yes",
                 time_words(t.expires_at_ms)});
    emit(shell, *page, table);
    return 0;
  };
  return c;
}

Result<int> put(Shell& shell, std::string const& file) {
  auto const content = read_private_file(file);
  if (!content) return content.error();
  auto const policy = codec::from_yaml<Policy>(*content);
  if (!policy) return Error{Code::invalid, file + ", " + policy.error().what};
  auto const stored = ask(shell, Service::vault, PolicyPut{*policy});
  if (!stored) return stored.error();
  emit(shell, *stored, Table::sheet().row({"POLICY", stored->name}));
  shell.next("lepton token create --policy " + stored->name);
  return 0;
}

Command put_command() {
  auto const file = std::make_shared<std::string>();
  Command c{
      "policy put", "Stores a policy; what no rule allows is denied",
      "lepton policy put -f team.yaml\n"
      "# name: team\n# rules:\n#   - {path: 'job/{subject}/*', verbs: [run, read, list, remove]}"};
  c.required("-f,--file", "Policy file (YAML)", file.get());
  c.run = [file](Shell& shell) { return put(shell, *file); };
  return c;
}

Command policy_list_command() {
  Command c{"policy list", "Lists policies and their rules", "lepton policy list -o yaml"};
  c.run = [](Shell& shell) -> Result<int> {
    auto const page = ask(shell, Service::vault, PolicyList{});
    if (!page) return page.error();
    Table table({"POLICY", "RULE"});
    for (auto const& policy : page->policies) {
      if (policy.rules.empty()) table.row({policy.name, "-"});
      for (auto const& rule : policy.rules) table.row({policy.name, rule_words(rule)});
    }
    emit(shell, *page, table);
    return 0;
  };
  return c;
}

Command policy_remove_command() {
  auto const name = std::make_shared<std::string>();
  Command c{"policy remove", "Removes a policy; tokens that name it lose what it allowed",
            "lepton policy remove team"};
  c.required("NAME", "Name of the policy", name.get());
  c.run = [name](Shell& shell) -> Result<int> {
    auto const removed = ask(shell, Service::vault, PolicyRemove{*name});
    if (!removed) return removed.error();
    emit(shell, *removed, Table::sheet().row({"REMOVED", removed->name}));
    return 0;
  };
  return c;
}

}  // namespace

Commands token_commands() {
  return {create_command(), revoke_command(), token_list_command()};
}

Commands policy_commands() {
  return {put_command(), policy_list_command(), policy_remove_command()};
}

}  // namespace lepton::cli
