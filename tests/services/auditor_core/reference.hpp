#pragma once
// What the tests of the tree share: the definitions of RFC 6962 section 2.1 written down as they
// stand there (recursive, over all leaves, with their own hashing), and a log that stores its
// nodes.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "common/crypto/encode.hpp"
#include "common/crypto/hash.hpp"
#include "services/auditor/core/proof.hpp"

namespace lepton::auditor::testing {

using Leaves = std::vector<std::string>;

inline Leaves leaves(std::size_t count) {
  Leaves all;
  for (std::size_t i = 0; i < count; ++i) all.push_back("entry " + std::to_string(i));
  return all;
}

inline Leaves part(Leaves const& d, std::size_t begin, std::size_t end) {
  return {d.begin() + static_cast<std::ptrdiff_t>(begin),
          d.begin() + static_cast<std::ptrdiff_t>(end)};
}

inline std::size_t largest_power_below(std::size_t n) {
  std::size_t k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

inline std::string raw(Hash const& hash) {
  return std::string(crypto::view(hash));
}

// MTH(D[n])
inline Hash mth(Leaves const& d) {
  if (d.empty()) return crypto::sha256("");
  if (d.size() == 1) return crypto::sha256(std::string(1, '\0') + d[0]);
  auto const k = largest_power_below(d.size());
  return crypto::sha256(std::string(1, '\1') + raw(mth(part(d, 0, k))) +
                        raw(mth(part(d, k, d.size()))));
}

// PATH(m, D[n])
inline Proof path(std::size_t m, Leaves const& d) {
  if (d.size() == 1) return {};
  auto const k = largest_power_below(d.size());
  auto const left = part(d, 0, k), right = part(d, k, d.size());
  auto proof = m < k ? path(m, left) : path(m - k, right);
  proof.push_back(mth(m < k ? right : left));
  return proof;
}

// SUBPROOF(m, D[n], b); PROOF(m, D[n]) = SUBPROOF(m, D[n], true)
inline Proof subproof(std::size_t m, Leaves const& d, bool b) {
  if (m == d.size()) return b ? Proof{} : Proof{mth(d)};
  auto const k = largest_power_below(d.size());
  auto const left = part(d, 0, k), right = part(d, k, d.size());
  auto proof = m <= k ? subproof(m, left, b) : subproof(m - k, right, false);
  proof.push_back(mth(m <= k ? right : left));
  return proof;
}

struct StoredLog {
  Frontier frontier;
  NodeTable nodes;
  std::vector<Node> all;
  std::vector<Hash> roots{empty_root()};  // by size

  explicit StoredLog(std::size_t count) {
    for (auto const& leaf : leaves(count)) {
      frontier.append(leaf_hash(leaf), all);
      roots.push_back(frontier.root());
    }
    nodes.add(all);
  }
};

// Folder of published test vectors, or nothing when this machine has none.
inline std::filesystem::path vectors(std::string const& folder) {
  auto const* data = std::getenv("LEPTON_DATA");
  if (data == nullptr) return {};
  auto const path = std::filesystem::path(data) / "vectors" / folder;
  return std::filesystem::is_directory(path) ? path : std::filesystem::path{};
}

}  // namespace lepton::auditor::testing

#define LEPTON_SKIP_WITHOUT(path) \
  if ((path).empty()) GTEST_SKIP() << "no test vectors: set LEPTON_DATA to the data folder"
