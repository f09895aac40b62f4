// Taking in the streams of the sources: one pull at a time for each, and one outbox for each page.

#include <fmt/format.h>

#include "common/base/planted.hpp"
#include "common/crypto/hash.hpp"
#include "services/auditor/auditor.hpp"
#include "services/auditor/translate.hpp"

namespace lepton::auditor {
namespace {

std::string const stream_name = "audit";

Bytes octets(Hash const& hash) {
  return {std::string(crypto::view(hash))};
}

}  // namespace

void Auditor::tick(Context& c) {
  for (std::size_t i = 0; i < sources_.size(); ++i) pull(i, c);
  c.after(settings_.pull_every_ms, [this](Context& later) { tick(later); });
}

// A source in trouble waits for the tick, so that its hints do not make it be asked without pause.
void Auditor::on_hint(Hint const& hint, Context& c) {
  if (hint.stream != stream_name) return;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    auto& source = sources_[i];
    if (source.name != hint.sender || !source.trouble.empty()) continue;
    if (hint.epoch == source.epoch) source.head = std::max(source.head, hint.head);
    if (hint.epoch == source.epoch && hint.head <= source.seq) continue;
    if (source.asking)
      source.hinted = true;
    else
      pull(i, c);
  }
}

void Auditor::pull(std::size_t at, Context& c) {
  auto& source = sources_[at];
  if (source.asking) return;
  source.asking = true;
  source.hinted = false;
  auto const after = planted("auditor_acks_unseen") ? source.head : source.seq;
  EventsPull const pull{source.name, stream_name, "auditor", source.epoch, after, source.limit};
  c.ask(source.name, pull, settings_.pull_limit_ms,
        [this, at](Result<EventsPage> const& got, Context& later) { take(at, got, later); });
}

void Auditor::take(std::size_t at, Result<EventsPage> const& got, Context& c) {
  auto& source = sources_[at];
  source.asking = false;
  if (!got) return take_failure(source, got.error(), c);
  auto const& page = *got;
  if (page.reset || page.epoch != source.epoch) {
    if (!begin_epoch(source, page, c)) return;
    if (page.reset || source.seq != 0) {
      source.seq = source.head = 0;
      return pull(at, c);
    }
  }
  if (!continues(source, page, c)) return;
  source.trouble.clear();
  source.limit = std::min(settings_.page_max, source.limit * 2);
  source.head = std::max(source.head, page.head);
  if (!page.events.empty()) append(source, page.events, c);
  if (source.hinted || (!page.events.empty() && page.head > source.seq)) pull(at, c);
}

// A page of large events may be above what one message can carry; smaller ones get through.
void Auditor::take_failure(Source& source, Error const& error, Context& c) {
  ++failed_pulls_;
  source.limit = std::max<std::uint32_t>(1, source.limit / 2);
  report(source, actor::Level::warning, error.what, c);
}

// A higher epoch begins at 0. The same or a lower one would number other events alike: the source
// has forgotten events, or the auditor's database is an old copy.
bool Auditor::begin_epoch(Source& source, EventsPage const& page, Context& c) {
  if (page.epoch > source.epoch) {
    if (source.epoch != 0)
      c.log(actor::Level::info, fmt::format("{} numbers its audit events anew: epoch {} after {}",
                                            source.name, page.epoch, source.epoch));
    source.epoch = page.epoch;
    return true;
  }
  ++gaps_;
  report(
      source, actor::Level::error,
      fmt::format(
          "epoch {} at event {} cannot be continued, the source is at epoch {} with head {}; one "
          "of the two databases is an old copy: restore it, or raise the epoch of the source",
          source.epoch, source.seq, page.epoch, page.head),
      c);
  return false;
}

bool Auditor::continues(Source& source, EventsPage const& page, Context& c) {
  auto expected = source.seq + 1;
  for (auto const& event : page.events) {
    if (event.seq == expected++) continue;
    ++gaps_;
    report(source, actor::Level::error,
           fmt::format("event {} came where {} was expected; nothing of the page is taken in",
                       event.seq, expected - 1),
           c);
    return false;
  }
  return true;
}

void Auditor::append(Source& source, std::vector<EventRecord> const& events, Context& c) {
  std::vector<Node> nodes;
  for (auto const& event : events) {
    auto const translated = translate(
        {source.name, stream_name, static_cast<std::uint64_t>(source.epoch), frontier_.size()},
        event);
    frontier_.append(leaf_hash(translated.leaf), nodes);
    c.append(row_of(translated.entry));
    ++entries_;
    if (!translated.exact) ++inexact_;
    source.seq = event.seq;
  }
  for (auto const& node : nodes)
    c.append(MerkleNodeRow{node.at.level, node.at.index, octets(node.hash)});
  c.upsert(actor::InboxRow{source.name, stream_name, source.epoch, source.seq});
  sign_head();
  Bytes edge;
  for (auto const& hash : frontier_.edge()) edge.data += crypto::view(hash);
  c.append(CheckpointRow{head_.size, head_.checkpoint, c.wall()});
  c.upsert(HeadRow{0, head_.size, std::move(edge), head_.checkpoint});
}

void Auditor::sign_head() {
  auto text =
      sign_checkpoint({settings_.origin, frontier_.size(), frontier_.root(), {}}, settings_.key);
  LEPTON_CHECK(text.has_value(), "a checkpoint of a legal origin can be signed");
  head_ = {frontier_.size(), frontier_.root(), std::move(*text)};
}

// The same trouble at each pull is told once in a while only.
void Auditor::report(Source& source, actor::Level level, std::string why, Context& c) {
  bool const known = source.trouble == why && c.now() < source.told_at + settings_.trouble_every_ms;
  source.trouble = std::move(why);
  if (known) return;
  source.told_at = c.now();
  c.log(level,
        fmt::format("the audit events of {} do not come in: {}", source.name, source.trouble));
}

}  // namespace lepton::auditor
