#pragma once
// Rules on the versions of a secret: which number a put gets, which versions stay, what a get
// finds. Numbers rise for ever, also after a removal: a number used twice would let an old value
// pass for a new one. Pure; rows are the vault's own.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/schema/schema.hpp"

namespace lepton::vault {

inline constexpr std::size_t max_value_size = 64 * 1024;  // octets
inline constexpr std::size_t max_versions = 16;

struct SecretVersion {
  std::uint32_t version = 0;
  WallMs created_at_ms = 0;
  std::string created_by;
  Bytes sealed;

  bool operator==(SecretVersion const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using V = SecretVersion;
    return schema::fields(
        field(1, "version", &V::version, "Number of the version, from 1."),
        field(2, "created_at_ms", &V::created_at_ms, "Wall time of the put, ms since 1970."),
        field(3, "created_by", &V::created_by, "Subject that put it."),
        field(4, "sealed", &V::sealed, "The value, sealed for its place."));
  }
};
static_assert(schema::complete<SecretVersion>());

struct SecretRecord {
  std::string path;
  std::uint32_t latest = 0;
  std::vector<SecretVersion> versions;

  bool operator==(SecretRecord const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using S = SecretRecord;
    return schema::fields(
        field(1, "path", &S::path, "Path, secret/...").key(),
        field(2, "latest", &S::latest, "Highest number ever given."),
        field(3, "versions", &S::versions, "Kept versions, rising; empty after a removal."));
  }
};
static_assert(schema::complete<SecretRecord>());

// A legal path of kind secret with a name behind it.
Status check_secret_path(std::string_view path);

// The number for a new value. `expected`, when given, is the version that must be the latest one,
// 0 meaning that there is none now: else `conflict`. The value is sealed for this number.
Result<std::uint32_t> next_version(SecretRecord const& record, std::size_t value_size,
                                   std::optional<std::uint32_t> expected);

// Adds the number that next_version gave; beyond max_versions the oldest go.
void add_version(SecretRecord& record, SecretVersion version);

// The latest kept version, or the one asked for; `not_found` says which there are.
Result<SecretVersion> get_version(SecretRecord const& record, std::optional<std::uint32_t> version);

// Forgets all values and keeps the number. `not_found` when there was no value.
Status remove_versions(SecretRecord& record);

}  // namespace lepton::vault
