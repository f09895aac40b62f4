#pragma once
// An audit log in memory, made with the auditor's own core, whose rows can be tampered with
// afterwards. One thread.

#include <memory>
#include <string>
#include <vector>

#include "cli/audit/log_source.hpp"
#include "common/crypto/seeded_entropy.hpp"
#include "services/auditor/core/checkpoint.hpp"
#include "services/auditor/core/entry.hpp"
#include "services/auditor/core/proof.hpp"

namespace lepton::cli {

class FakeLog {
 public:
  explicit FakeLog(std::uint64_t seed = 1) : key_(make_key(seed)) {}

  AuditEntry& add(std::string const& source, std::uint64_t source_seq) {
    AuditEntry entry;
    entry.sequence = entries.size();
    entry.source = source;
    entry.stream = "audit";
    entry.epoch = 1;
    entry.source_seq = source_seq;
    entry.at_ms = 1000 + static_cast<WallMs>(entries.size());
    entry.actor = "ann";
    entry.action = "deployer.job.submit";
    entry.outcome = "done";
    entry.detail = "{}";
    std::vector<auditor::Node> complete;
    frontier_.append(auditor::leaf_hash(auditor::leaf_bytes(entry).value()), complete);
    nodes_.add(complete);
    entries.push_back(std::move(entry));
    return entries.back();
  }
  void fill(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) add("deployer", entries.size() + 1);
  }

  std::string checkpoint() const {
    return auditor::sign_checkpoint({"lepton.test", frontier_.size(), frontier_.root(), {}}, key_)
        .value();
  }
  std::string public_key() const {
    return auditor::NoteKey::create("lepton.test", key_.public_key()).value().text();
  }

  AuditProof prove(std::uint64_t index) const {
    AuditProof proof;
    proof.entry = entries.at(index);
    proof.leaf.data = auditor::leaf_bytes(proof.entry).value();
    proof.index = index;
    proof.size = frontier_.size();
    auto const path = auditor::inclusion_proof(index, proof.size, nodes_.source());
    for (auto const& hash : path.value()) proof.path.push_back({std::string(crypto::view(hash))});
    proof.checkpoint = checkpoint();
    return proof;
  }

  LogSource source() const {
    LogSource s;
    s.page = [this](std::uint64_t from, std::uint32_t limit) -> Result<AuditPage> {
      AuditPage page;
      for (auto i = from; i < entries.size() && page.entries.size() < limit; ++i)
        page.entries.push_back(entries[i]);
      page.next = from + page.entries.size();
      page.size = entries.size();
      return page;
    };
    s.checkpoint = [this]() -> Result<AuditCheckpointText> {
      return AuditCheckpointText{checkpoint(), public_key()};
    };
    s.consistency = [this](std::uint64_t old_size,
                           std::uint64_t new_size) -> Result<AuditConsistencyProof> {
      AuditConsistencyProof shown{old_size, new_size, {}, checkpoint()};
      auto const proof = auditor::consistency_proof(old_size, new_size, nodes_.source());
      if (!proof) return proof.error();
      for (auto const& hash : *proof) shown.path.push_back({std::string(crypto::view(hash))});
      return shown;
    };
    return s;
  }

  std::vector<AuditEntry> entries;

 private:
  static crypto::SigningKey make_key(std::uint64_t seed) {
    crypto::SeededEntropy entropy(seed);
    return crypto::SigningKey::create(entropy);
  }
  crypto::SigningKey key_;
  auditor::Frontier frontier_;
  auditor::NodeTable nodes_;
};

}  // namespace lepton::cli
