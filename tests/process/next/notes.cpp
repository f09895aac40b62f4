#include "tests/process/next/notes.hpp"

namespace lepton::vault {
namespace {

constexpr std::size_t note_octets_max = 200;

Status check_note(std::string const& note) {
  if (note.size() <= note_octets_max) return ok();
  return Error{Code::invalid, "note: at most 200 octets"};
}

}  // namespace

// Each handler stands in the place of the one of this version under the same topic.
NotedVault::NotedVault(Settings settings) : Vault(std::move(settings)) {
  on<SecretPut>(&NotedVault::put_noted);
  on<SecretNote>(&NotedVault::note);
  on<SecretGet>(&NotedVault::get_noted);
  on<SecretList>(&NotedVault::list_noted);
  on<SecretResolve>(&NotedVault::resolve_noted);
}

void NotedVault::restore(actor::Rows const& rows) {
  Vault::restore(rows);
  for (auto const& row : rows.of<SecretRow>())
    if (!row.note.empty()) notes_[row.path] = row.note;
}

Result<SecretInfo> NotedVault::noted(SecretInfo info) const {
  if (auto const known = notes_.find(info.path); known != notes_.end()) info.note = known->second;
  return info;
}

void NotedVault::store(std::string const& path, Context& c) {
  c.upsert(SecretRow{path, secrets_.at(path).latest, notes_[path]});
}

// Of two rows with one key in a commit the last one counts.
Result<SecretInfo> NotedVault::put_noted(SecretPut const& m, Context& c) {
  if (auto good = check_note(m.note.value_or("")); !good) return good.error();
  auto info = put(m, c);
  if (!info) return info;
  if (m.note) notes_[m.path] = *m.note;
  store(m.path, c);
  return noted(std::move(*info));
}

Result<SecretInfo> NotedVault::note(SecretNote const& m, Context& c) {
  if (auto good = check_note(m.note); !good) return good.error();
  auto const known = secrets_.find(m.path);
  if (known == secrets_.end() || known->second.versions.empty())
    return Error{Code::not_found, "there is no secret " + m.path};
  auto const& last = known->second.versions.back();
  notes_[m.path] = m.note;
  store(m.path, c);
  return noted({m.path, last.version, last.created_at_ms, last.created_by, ""});
}

Result<SecretValue> NotedVault::get_noted(SecretGet const& m, Context& c) {
  auto secret = get(m, c);
  if (secret) secret->info = *noted(secret->info);
  return secret;
}

Result<SecretPage> NotedVault::list_noted(SecretList const& m, Context& c) {
  auto page = list(m, c);
  if (page)
    for (auto& info : page->secrets) info = *noted(info);
  return page;
}

// The line in the log is what a test sees of a field that its reader passes over.
Result<SecretsResolved> NotedVault::resolve_noted(SecretResolve const& m, Context& c) {
  auto resolved = resolve(m, c);
  if (!resolved) return resolved;
  for (auto const& [name, path] : m.secrets)
    resolved->versions[name] = secrets_.at(path).versions.back().version;
  c.log(actor::Level::info, "values with their versions for " + m.attempt);
  return resolved;
}

}  // namespace lepton::vault
