#pragma once
// Redaction of the detail of an audit entry. Only fields on an allow-list stay readable; any other
// value, numbers and octets included, becomes an HMAC-SHA256 under the audit key: equal values of
// one field can be recognised, the value cannot be found without the key. Pure, any thread. Fails
// closed: a value that is not printable ASCII, is above max_clear_bytes or is not finite is
// replaced even if its field is on the list.
// Errors: invalid (a name outside the grammar or twice, too many fields, a key below 32 octets).

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/result.hpp"
#include "common/base/secret.hpp"

namespace lepton::auditor {

inline constexpr std::size_t max_detail_fields = 64;
inline constexpr std::size_t max_clear_bytes = 1024;

using DetailValue = std::variant<std::string, std::int64_t, std::uint64_t, double, bool, Bytes>;

struct DetailField {
  std::string name;  // [a-z][a-z0-9_.]*, at most 64
  DetailValue value;
};

class Redactor {
 public:
  static Result<Redactor> create(std::set<std::string> clear_fields, Secret<> audit_key);

  // A JSON object with sorted names. Clear text and 64-bit integers are strings, octets never are
  // clear; a redacted value is {"hmac_sha256":"<64 hex digits>"}, which no clear value can look
  // like.
  Result<std::string> detail(std::vector<DetailField> fields) const;
  // The HMAC that detail() writes for this value: to search for a known value.
  std::string digest(std::string_view field, DetailValue const& value) const;

 private:
  Redactor(std::set<std::string> clear_fields, Secret<> audit_key)
      : clear_fields_(std::move(clear_fields)), audit_key_(std::move(audit_key)) {}
  std::string shown(DetailField const& field) const;

  std::set<std::string> clear_fields_;
  Secret<> audit_key_;
};

}  // namespace lepton::auditor
