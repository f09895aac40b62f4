#include "services/auditor/auditor.hpp"

#include <stdexcept>

#include "common/crypto/hash.hpp"

namespace lepton::auditor {
namespace {

NoteKey key_of(Settings const& settings) {
  auto key = NoteKey::create(settings.origin, settings.key.public_key());
  LEPTON_CHECK(key.has_value(), "the origin of the log must be a key name");
  return std::move(*key);
}

Frontier frontier_of(HeadRow const& row) {
  std::vector<Hash> edge(row.edge.data.size() / sizeof(Hash));
  if (edge.size() * sizeof(Hash) == row.edge.data.size()) {
    for (std::size_t i = 0; i < edge.size(); ++i)
      std::copy_n(row.edge.data.begin() + static_cast<std::ptrdiff_t>(i * sizeof(Hash)),
                  sizeof(Hash), edge[i].begin());
    if (auto frontier = Frontier::restore(row.size, std::move(edge))) return std::move(*frontier);
  }
  throw std::runtime_error("the stored edge of the audit log does not fit its size of " +
                           std::to_string(row.size) + "; restore the database from a backup");
}

}  // namespace

Auditor::Auditor(Settings settings) : settings_(std::move(settings)), note_key_(key_of(settings_)) {
  for (auto const& name : settings_.sources) {
    auto& source = sources_.emplace_back();
    source.name = name;
    source.limit = settings_.page_max;
  }
  on<AuditTail>(&Auditor::tail);
  on<AuditProve>(&Auditor::prove);
  on<AuditCheckpoint>(&Auditor::checkpoint);
  on<AuditConsistency>(&Auditor::consistency);
}

std::vector<store::Table const*> Auditor::tables() const {
  return {&store::table_of<actor::InboxRow>(), &store::table_of<HeadRow>()};
}

// The head is the only row that may be replaced, so it is held against its signature before it is
// built on.
void Auditor::restore(actor::Rows const& rows) {
  for (auto const& row : rows.of<actor::InboxRow>())
    for (auto& source : sources_)
      if (source.name == row.sender && row.stream == "audit") {
        source.epoch = row.epoch;
        source.seq = source.head = row.seq;
      }
  auto const heads = rows.of<HeadRow>();
  if (heads.empty()) return;
  frontier_ = frontier_of(heads.front());
  auto const& text = heads.front().checkpoint;
  auto const note = parse_note(text);
  auto const stored = note ? parse_checkpoint_text(note->text) : Result<Checkpoint>(note.error());
  if (!stored || stored->size != frontier_.size() || stored->root != frontier_.root())
    throw std::runtime_error(
        "the stored head of the audit log contradicts its checkpoint: it was changed outside the "
        "auditor; restore the database from a backup");
  if (!open_checkpoint(text, note_key_))
    key_warning_ =
        "the last checkpoint was signed by another key or origin; who checks this log needs "
        "the new verifier key " +
        note_key_.text();
}

void Auditor::start(Context& c) {
  if (!key_warning_.empty()) c.log(actor::Level::warning, key_warning_);
  sign_head();
  tick(c);
}

std::map<std::string, std::int64_t> Auditor::counters() const {
  std::map<std::string, std::int64_t> all{{"log_size", static_cast<std::int64_t>(head_.size)},
                                          {"entries_added", entries_},
                                          {"entries_inexact", inexact_},
                                          {"gaps", gaps_},
                                          {"failed_pulls", failed_pulls_},
                                          {"changed_rows_found", changed_}};
  for (auto const& source : sources_) {
    all["behind_" + source.name] = std::max<std::int64_t>(0, source.head - source.seq);
    all["trouble_" + source.name] = source.trouble.empty() ? 0 : 1;
  }
  return all;
}

}  // namespace lepton::auditor
