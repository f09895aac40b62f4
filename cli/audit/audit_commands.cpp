#include "cli/audit/audit_commands.hpp"

#include <memory>

#include <fmt/format.h>

#include "cli/audit/verify.hpp"
#include "cli/connect.hpp"
#include "cli/output/emit.hpp"
#include "cli/output/words.hpp"
#include "common/codec/yaml.hpp"

namespace lepton::cli {
namespace {

std::string trust_file(Shell const& shell) {
  return shell.folder() + "/audit-trust.yaml";
}

Result<Trust> read_trust(Shell const& shell) {
  auto const content = read_private_file(trust_file(shell));
  if (!content && content.error().code == Code::not_found) return Trust{};
  if (!content) return content.error();
  auto trust = codec::from_yaml<Trust>(*content);
  if (!trust) return Error{Code::invalid, trust_file(shell) + ": " + trust.error().what};
  return trust;
}

Status keep_trust(Shell const& shell, Trust const& trust) {
  return write_private_file(trust_file(shell), codec::to_yaml(trust));
}

LogSource source_of(bus::Client& client, TimeMs timeout_ms) {
  LogSource source;
  source.page = [&client, timeout_ms](std::uint64_t from, std::uint32_t limit) {
    return client.call(AuditTail{from, limit}, timeout_ms);
  };
  source.checkpoint = [&client, timeout_ms] { return client.call(AuditCheckpoint{}, timeout_ms); };
  source.consistency = [&client, timeout_ms](std::uint64_t old_size, std::uint64_t new_size) {
    return client.call(AuditConsistency{old_size, new_size}, timeout_ms);
  };
  return source;
}

// What the log shows does not hold: no denial of a right, so the plain failure.
constexpr int exit_mismatch = 1;

Result<int> report(Shell& shell, Error const& error) {
  if (error.code != Code::denied && error.code != Code::invalid) return error;
  shell.say("error: the audit log does not prove itself: " + error.what);
  return exit_mismatch;
}

Result<int> verify(Shell& shell, std::string const& file) {
  auto client = connect(shell, Service::auditor);
  if (!client) return client.error();
  auto const trust = read_trust(shell);
  if (!trust) return trust.error();
  auto const also = file.empty() ? Result<std::string>(std::string()) : read_private_file(file);
  if (!also) return also.error();
  // A caller without the right to read is denied here; what is denied later is a proof.
  if (auto allowed = client->call(AuditTail{0, 1}, shell.timeout_ms()); !allowed)
    return allowed.error();
  auto const progress = [&shell](std::uint64_t done, std::uint64_t size) {
    if (!shell.progress) return;
    fmt::print(shell.err, "\r{} of {} entries{}", done, size, done >= size ? "\n" : "");
  };
  auto const verified = verify_log(source_of(*client, shell.timeout_ms()), *trust, *also, progress);
  if (!verified) return report(shell, verified.error());
  if (auto kept = keep_trust(shell, verified->trust); !kept) return kept.error();
  auto const& r = verified->report;
  auto sheet = Table::sheet();
  sheet.row({"RESULT", "verified"})
      .row({"LOG", r.origin})
      .row({"ENTRIES", std::to_string(r.entries)})
      .row({"ROOT", r.root});
  for (auto const& line : r.checked) sheet.row({"CHECKED", line});
  emit(shell, r, sheet);
  if (r.first_use)
    shell.say(
        "the key of the log was seen for the first time and is trusted from now on; compare it "
        "with "
        "one that came another way: " +
        verified->trust.public_key);
  shell.next(
      "lepton audit checkpoint > FILE, kept elsewhere, and later: lepton audit verify --checkpoint "
      "FILE");
  return 0;
}

Command verify_command() {
  auto const file = std::make_shared<std::string>();
  Command c{"audit verify",
            "Downloads the log and checks that nothing in it was changed, removed or doubled",
            "lepton audit verify\nlepton audit verify --checkpoint kept.checkpoint"};
  c.option("--checkpoint", "A checkpoint kept from before, which must be a part of the log",
           file.get());
  c.run = [file](Shell& shell) { return verify(shell, *file); };
  return c;
}

Result<int> prove(Shell& shell, std::int64_t number) {
  if (number < 0) return Error{Code::invalid, "entries count from 0"};
  auto const sequence = static_cast<std::uint64_t>(number);
  auto client = connect(shell, Service::auditor);
  if (!client) return client.error();
  auto trust = read_trust(shell);
  if (!trust) return trust.error();
  auto const proof = client->call(AuditProve{sequence}, shell.timeout_ms());
  if (!proof) return proof.error();
  if (trust->public_key.empty()) {
    auto const shown = client->call(AuditCheckpoint{}, shell.timeout_ms());
    if (!shown) return shown.error();
    trust->public_key = shown->public_key;
  }
  auto const checkpoint = verify_entry(*proof, sequence, trust->public_key);
  if (!checkpoint) return report(shell, checkpoint.error());
  if (auto kept = keep_trust(shell, *trust); !kept) return kept.error();
  auto const& e = proof->entry;
  emit(shell, *proof,
       Table::sheet()
           .row({"ENTRY", std::to_string(e.sequence)})
           .row({"TIME", time_words(e.at_ms)})
           .row({"ACTOR", e.actor})
           .row({"ACTION", e.action})
           .row({"RESOURCE", e.resource})
           .row({"OUTCOME", e.outcome})
           .row({"DETAIL", e.detail})
           .row({"PROOF", fmt::format("holds: {} hashes lead to the signed root of {} entries",
                                      proof->path.size(), checkpoint->size)}));
  return 0;
}

Command prove_command() {
  auto const number = std::make_shared<std::int64_t>(0);
  Command c{"audit prove", "Proves that an entry is in the log, checked here",
            "lepton audit prove 17"};
  c.required("N", "Sequence of the entry, as in `lepton audit tail`", number.get());
  c.run = [number](Shell& shell) { return prove(shell, *number); };
  return c;
}

Command checkpoint_command() {
  Command c{"audit checkpoint", "Prints the newest signed checkpoint, to be kept in another place",
            "lepton audit checkpoint > 2026-11.checkpoint"};
  c.run = [](Shell& shell) -> Result<int> {
    auto const shown = ask(shell, Service::auditor, AuditCheckpoint{});
    if (!shown) return shown.error();
    if (shell.format == Format::table || shell.format == Format::name)
      shell.print(shown->text);
    else
      emit(shell, *shown, Table::sheet());
    shell.next("lepton audit verify --checkpoint FILE");
    return 0;
  };
  return c;
}

}  // namespace

Commands audit_commands() {
  return {tail_command(), prove_command(), checkpoint_command(), verify_command(), sql_command()};
}

}  // namespace lepton::cli
