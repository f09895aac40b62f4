#include "cli/audit/verify.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include <fmt/format.h>

#include "common/base/text.hpp"
#include "services/auditor/core/entry.hpp"
#include "services/auditor/core/proof.hpp"

namespace lepton::cli {
namespace {

using auditor::Checkpoint;
using auditor::Hash;

constexpr std::uint32_t page_limit = 500;

Error mismatch(std::string what) {
  return {Code::denied, std::move(what)};
}

Result<auditor::Proof> hashes_of(std::vector<Bytes> const& path) {
  auditor::Proof proof;
  for (auto const& part : path) {
    if (part.data.size() != Hash{}.size())
      return mismatch("the auditor sent a proof with a hash that is not of 32 octets");
    std::copy(part.data.begin(), part.data.end(), proof.emplace_back().begin());
  }
  return proof;
}

Result<Checkpoint> open(std::string const& note, auditor::NoteKey const& key, char const* which) {
  auto opened = auditor::open_checkpoint(note, key);
  if (!opened) return Error{opened.error().code, std::string(which) + ": " + opened.error().what};
  return opened;
}

// A checkpoint from before, with the root that the downloaded entries must have at its size.
struct Anchor {
  Checkpoint checkpoint;
  std::string name;
};

class Verifier {
 public:
  Verifier(LogSource const& source, Trust const& trust, Progress const& progress)
      : source_(source), trust_(trust), progress_(progress) {}

  Result<Verified> run(std::string const& also) {
    auto const head = signed_head();
    if (!head) return head.error();
    if (auto kept = keep(trust_.checkpoint, "the checkpoint kept here"); !kept) return kept.error();
    if (auto kept = keep(also, "the given checkpoint"); !kept) return kept.error();
    for (auto const& anchor : anchors_)
      if (auto extended = check_extension(anchor, *head); !extended) return extended.error();
    if (auto entries = check_entries(*head); !entries) return entries.error();
    result_.report.origin = head->origin;
    result_.report.entries = head->size;
    result_.report.root = text::hex(crypto::view(head->root));
    result_.report.sources = last_.size();
    return result_;
  }

 private:
  void note(std::string line) { result_.report.checked.push_back(std::move(line)); }

  Result<Checkpoint> signed_head() {
    auto const text = source_.checkpoint();
    if (!text) return text.error();
    result_.report.first_use = trust_.public_key.empty();
    if (!result_.report.first_use && trust_.public_key != text->public_key)
      return mismatch(
          "the auditor shows the key " + text->public_key + ", but the one trusted here is " +
          trust_.public_key +
          "; either this is another log, or somebody poses as it. If the log was set up anew, "
          "remove audit-trust.yaml from the client folder");
    auto key = auditor::NoteKey::parse(text->public_key);
    if (!key) return key.error();
    key_.emplace(std::move(*key));
    auto const head = open(text->text, *key_, "the newest checkpoint");
    if (!head) return head.error();
    result_.trust = {text->public_key, text->text};
    note(fmt::format("the newest checkpoint (size {}) is signed by {}", head->size, key_->name()));
    return head;
  }

  Status keep(std::string const& note_text, char const* name) {
    if (note_text.empty()) return ok();
    auto opened = open(note_text, *key_, name);
    if (!opened) return opened.error();
    anchors_.push_back({std::move(*opened), name});
    return ok();
  }

  Status check_extension(Anchor const& anchor, Checkpoint const& head) {
    auto const& old = anchor.checkpoint;
    if (old.size > head.size)
      return mismatch(
          fmt::format("{} has {} entries, but the log has only {} now: entries were removed",
                      anchor.name, old.size, head.size));
    if (old.size == 0) return ok();  // every log contains the empty one
    auditor::Proof proof;
    if (old.size < head.size) {
      auto const shown = source_.consistency(old.size, head.size);
      if (!shown) return shown.error();
      auto hashes = hashes_of(shown->path);
      if (!hashes) return hashes.error();
      proof = std::move(*hashes);
    }
    if (!auditor::verify_consistency(old.size, head.size, old.root, head.root, proof))
      return mismatch(
          fmt::format("{} (size {}) is no part of the log (size {}): entries were changed",
                      anchor.name, old.size, head.size));
    note(fmt::format("{} (size {}) is a part of it", anchor.name, old.size));
    return ok();
  }

  Status check_entries(Checkpoint const& head) {
    if (auto same = compare(0, head); !same) return same;
    for (std::uint64_t from = 0; from < head.size;) {
      auto const want = std::min<std::uint64_t>(page_limit, head.size - from);
      auto const page = source_.page(from, static_cast<std::uint32_t>(want));
      if (!page) return page.error();
      if (page->entries.empty())
        return mismatch(fmt::format(
            "the log gives no entry {}, though its checkpoint says {} entries", from, head.size));
      for (auto const& entry : page->entries) {
        if (from >= head.size) break;
        if (auto added = add(entry, from); !added) return added;
        if (auto same = compare(++from, head); !same) return same;
      }
      if (progress_) progress_(from, head.size);
    }
    note(fmt::format("all {} entries give the signed root", head.size));
    note("no event of a service stands twice, and none is missing between two others");
    return ok();
  }

  Status add(AuditEntry const& entry, std::uint64_t place) {
    if (entry.sequence != place)
      return mismatch(fmt::format("entry {} stands where entry {} must be", entry.sequence, place));
    auto const leaf = auditor::leaf_bytes(entry);
    if (!leaf) return leaf.error();
    complete_.clear();
    frontier_.append(auditor::leaf_hash(*leaf), complete_);
    return number(entry);
  }

  // Events of one stream are numbered without gaps.
  Status number(AuditEntry const& entry) {
    auto& last = last_[{entry.source, entry.stream, entry.epoch}];
    auto const before = last;
    last = entry.source_seq;
    if (before == 0 || entry.source_seq == before + 1) return ok();
    auto const stream = entry.source + "/" + entry.stream;
    if (entry.source_seq <= before)
      return mismatch(
          fmt::format("entry {} repeats event {} of {}", entry.sequence, entry.source_seq, stream));
    return mismatch(fmt::format("before entry {}, {} events of {} are missing", entry.sequence,
                                entry.source_seq - before - 1, stream));
  }

  // At the size of each checkpoint the entries so far must have its root.
  Status compare(std::uint64_t size, Checkpoint const& head) {
    for (auto const& anchor : anchors_)
      if (anchor.checkpoint.size == size && frontier_.root() != anchor.checkpoint.root)
        return mismatch(
            fmt::format("the first {} entries do not have the root of {}: one of them was "
                        "changed after it was signed",
                        size, anchor.name));
    if (head.size == size && frontier_.root() != head.root)
      return mismatch(
          fmt::format("the {} entries do not have the root that the auditor signed: what it "
                      "shows is not what it logged",
                      size));
    return ok();
  }

  LogSource const& source_;
  Trust const& trust_;
  Progress const& progress_;
  std::optional<auditor::NoteKey> key_;
  std::vector<Anchor> anchors_;
  auditor::Frontier frontier_;
  std::vector<auditor::Node> complete_;
  std::map<std::tuple<std::string, std::string, std::uint64_t>, std::uint64_t> last_;
  Verified result_;
};

}  // namespace

Result<Verified> verify_log(LogSource const& source, Trust const& trust, std::string const& also,
                            Progress const& progress) {
  return Verifier(source, trust, progress).run(also);
}

Result<Checkpoint> verify_entry(AuditProof const& proof, std::uint64_t sequence,
                                std::string const& key) {
  auto const parsed = auditor::NoteKey::parse(key);
  if (!parsed) return parsed.error();
  auto const checkpoint = open(proof.checkpoint, *parsed, "the checkpoint of the proof");
  if (!checkpoint) return checkpoint.error();
  if (proof.index != sequence || proof.entry.sequence != sequence)
    return mismatch("the proof is of another entry than the one asked for");
  auto const leaf = auditor::leaf_bytes(proof.entry);
  if (!leaf) return leaf.error();
  if (*leaf != proof.leaf.data)
    return mismatch("the entry shown is not the one that the proof is over");
  auto const path = hashes_of(proof.path);
  if (!path) return path.error();
  if (proof.size != checkpoint->size)
    return mismatch("the proof leads to a log of another size than the signed checkpoint");
  if (!auditor::verify_inclusion(auditor::leaf_hash(*leaf), sequence, proof.size, *path,
                                 checkpoint->root))
    return mismatch("the proof does not hold: the entry is not in the log that was signed");
  return checkpoint;
}

}  // namespace lepton::cli
