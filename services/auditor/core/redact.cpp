#include "services/auditor/core/redact.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "common/base/text.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::auditor {
namespace {

constexpr std::size_t max_name_bytes = 64;

bool is_name(std::string_view name) {
  auto const letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && name.size() <= max_name_bytes && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) {
           return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '.';
         });
}

std::string octets(std::uint64_t number) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>((number >> shift) & 0xFF);
  return out;
}

// One text for each value of any type: the type, then the value.
struct Tagged {
  std::string operator()(std::string const& x) const { return "t" + x; }
  std::string operator()(Bytes const& x) const { return "b" + x.data; }
  std::string operator()(std::int64_t x) const { return "i" + fmt::to_string(x); }
  std::string operator()(std::uint64_t x) const { return "i" + fmt::to_string(x); }
  std::string operator()(double x) const { return "d" + octets(std::bit_cast<std::uint64_t>(x)); }
  std::string operator()(bool x) const { return x ? "o1" : "o0"; }
};

// JSON of a value that may be read, or nothing.
struct Clear {
  using Json = std::optional<std::string>;
  Json operator()(std::string const& x) const {
    auto const plain = [](char c) { return c >= 0x20 && c <= 0x7e; };
    if (x.size() > max_clear_bytes || !std::all_of(x.begin(), x.end(), plain)) return std::nullopt;
    std::string json = "\"";
    for (char c : x) {
      if (c == '"' || c == '\\') json += '\\';
      json += c;
    }
    return json + "\"";
  }
  Json operator()(Bytes const&) const { return std::nullopt; }
  Json operator()(std::int64_t x) const { return fmt::format("\"{}\"", x); }
  Json operator()(std::uint64_t x) const { return fmt::format("\"{}\"", x); }
  Json operator()(double x) const {
    return std::isfinite(x) ? Json(fmt::format("{}", x)) : std::nullopt;
  }
  Json operator()(bool x) const { return x ? "true" : "false"; }
};

Error bad(std::string_view why) {
  return Error{Code::invalid,
               fmt::format("the detail of an audit entry cannot be written: {}", why)};
}

}  // namespace

Result<Redactor> Redactor::create(std::set<std::string> clear_fields, Secret<> audit_key) {
  if (audit_key.reveal().size() < 32)
    return Error{Code::invalid, "the audit key is below 32 octets; make one with 32 random octets"};
  if (!std::all_of(clear_fields.begin(), clear_fields.end(), is_name))
    return Error{Code::invalid, "a clear field is not a name of letters a-z, digits, '_' and '.'"};
  return Redactor(std::move(clear_fields), std::move(audit_key));
}

std::string Redactor::digest(std::string_view field, DetailValue const& value) const {
  // The length keeps field and value apart: ("a", "bc") and ("ab", "c") differ.
  auto const message = "lepton-audit-redact/1\n" + octets(field.size()) + std::string(field) +
                       std::visit(Tagged{}, value);
  return text::hex(crypto::view(crypto::hmac_sha256(audit_key_.reveal(), message)));
}

std::string Redactor::shown(DetailField const& field) const {
  if (clear_fields_.count(field.name) != 0)
    if (auto const json = std::visit(Clear{}, field.value)) return *json;
  return fmt::format(R"({{"hmac_sha256":"{}"}})", digest(field.name, field.value));
}

Result<std::string> Redactor::detail(std::vector<DetailField> fields) const {
  if (fields.size() > max_detail_fields) return bad("more than 64 fields");
  std::sort(fields.begin(), fields.end(),
            [](auto const& a, auto const& b) { return a.name < b.name; });
  std::string json = "{";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    // The name is not repeated in the error: it might be a value that went astray.
    if (!is_name(fields[i].name)) return bad("a name is not letters a-z, digits, '_' and '.'");
    if (i > 0 && fields[i].name == fields[i - 1].name) return bad("a name stands twice");
    json += fmt::format("{}\"{}\":{}", i > 0 ? "," : "", fields[i].name, shown(fields[i]));
  }
  return json + "}";
}

}  // namespace lepton::auditor
