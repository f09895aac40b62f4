#include "services/auditor/translate.hpp"

#include "common/base/text.hpp"
#include "common/codec/json.hpp"
#include "common/codec/msgpack.hpp"
#include "common/crypto/hash.hpp"
#include "common/store/check.hpp"
#include "common/store/row.hpp"
#include "services/auditor/core/entry.hpp"
#include "services/auditor/rows.hpp"

namespace lepton::auditor {
namespace {

using Detail = std::map<std::string, std::string>;

AuditEntry bare_entry(Place const& place, EventRecord const& record) {
  AuditEntry e;
  e.sequence = place.sequence;
  e.source = place.source;
  e.stream = place.stream;
  e.epoch = place.epoch;
  e.source_seq = static_cast<std::uint64_t>(record.seq);
  e.at_ms = record.at_ms;
  return e;
}

void fill(AuditEntry& e, AuditEvent const& event) {
  e.at_ms = event.at_ms;
  e.actor = event.actor;
  e.action = event.action;
  e.resource = event.resource;
  e.outcome = std::string(schema::name_of(event.outcome));
  e.request_id = event.request_id;
  e.detail = codec::to_json(event.detail);
}

// A document with an escaped NUL is text to the table, but no document to the views over it.
bool has_nul(AuditEvent const& event) {
  auto const holds = [](std::string const& text) { return text.find('\0') != text.npos; };
  for (auto const& [name, value] : event.detail)
    if (holds(name) || holds(value)) return true;
  return false;
}

// The leaf, when entry and leaf are what tables and tree accept.
std::optional<std::string> storable_leaf(AuditEntry const& entry) {
  auto leaf = leaf_bytes(entry);
  if (!leaf) return std::nullopt;
  store::Batch const batch{
      {{store::Op::append, &store::table_of<EntryRow>(), store::to_cells(row_of(entry))}}};
  if (store::why_unwritable(batch)) return std::nullopt;
  return std::move(*leaf);
}

// Printable ASCII and short: always storable.
void simplify(std::string& text) {
  constexpr std::size_t bytes_max = 512;
  if (text.size() > bytes_max) text.resize(bytes_max);
  for (char& c : text)
    if (c < 0x20 || c > 0x7e) c = '?';
}

void simplify(AuditEntry& e, EventRecord const& record, std::string const& problem) {
  for (auto* text : {&e.actor, &e.action, &e.resource, &e.outcome, &e.request_id}) simplify(*text);
  e.detail = codec::to_json(
      Detail{{"problem", problem},
             {"raw_bytes", std::to_string(record.body.data.size())},
             {"raw_sha256", text::hex(crypto::view(crypto::sha256(record.body.data)))}});
}

}  // namespace

Translated translate(Place const& place, EventRecord const& record) {
  Translated t;
  t.entry = bare_entry(place, record);
  auto const event = record.topic == AuditEvent::topic
                         ? codec::decode<AuditEvent>(record.body.data)
                         : Result<AuditEvent>(Error{Code::invalid, "not an audit event"});
  if (event) {
    fill(t.entry, *event);
    auto leaf = has_nul(*event) ? std::nullopt : storable_leaf(t.entry);
    t.exact = leaf.has_value();
    if (leaf) t.leaf = std::move(*leaf);
  } else {
    t.entry.action = unreadable_action;
    t.entry.outcome = "unknown";
  }
  if (t.exact) return t;
  simplify(
      t.entry, record,
      event ? "the event is too long or holds text that cannot be stored; the fields are simplified"
            : "the event could not be decoded");
  auto leaf = storable_leaf(t.entry);
  LEPTON_CHECK(leaf.has_value(), "a simplified entry can always be stored");
  t.leaf = std::move(*leaf);
  return t;
}

}  // namespace lepton::auditor
