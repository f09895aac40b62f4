#include "services/auditor/core/entry.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <type_traits>

namespace lepton::auditor {
namespace {

constexpr std::string_view tag = "lepton-audit-entry/1\n";

void put_number(std::string& out, std::uint64_t number, int octets) {
  for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8)
    out += static_cast<char>((number >> shift) & 0xFF);
}

std::uint64_t take_number(std::string_view octets) {
  std::uint64_t number = 0;
  for (unsigned char octet : octets) number = number << 8 | octet;
  return number;
}

std::string value_of(std::string const& text) {
  return text;
}

template <class Integer>
std::string value_of(Integer number) {
  static_assert(sizeof(Integer) == 8, "a narrower integer needs a range check when it is read");
  std::string out;
  put_number(out, static_cast<std::uint64_t>(number), 8);
  return out;
}

bool set(std::string& text, std::string_view value) {
  text = value;
  return true;
}

template <class Integer>
bool set(Integer& number, std::string_view value) {
  if (value.size() != 8) return false;
  number = static_cast<Integer>(take_number(value));
  return true;
}

struct Piece {
  std::uint64_t id = 0;
  std::string_view value;
};

// Takes one field off the front; false when it is cut off.
bool take(std::string_view& rest, Piece& piece) {
  if (rest.size() < 6) return false;
  piece.id = take_number(rest.substr(0, 2));
  auto const length = take_number(rest.substr(2, 4));
  rest.remove_prefix(6);
  if (length > rest.size()) return false;
  piece.value = rest.substr(0, length);
  rest.remove_prefix(length);
  return true;
}

Error bad(std::string_view why) {
  return Error{Code::invalid, fmt::format("these are not the octets of an audit entry: {}", why)};
}

}  // namespace

Result<std::string> leaf_bytes(AuditEntry const& entry) {
  std::string out(tag);
  AuditEntry const defaults;
  schema::each<AuditEntry>([&](auto const& field) {
    auto const& member = entry.*field.member;
    if (field.since_version > 0 && member == defaults.*field.member) return;
    auto const value = value_of(member);
    put_number(out, static_cast<std::uint64_t>(field.id), 2);
    put_number(out, value.size(), 4);
    out += value;
  });
  if (out.size() <= max_leaf_bytes) return out;
  return Error{Code::invalid, fmt::format("an audit entry of {} octets is above the limit of {}; "
                                          "shorten its detail",
                                          out.size(), max_leaf_bytes)};
}

Result<AuditEntry> parse_leaf(std::string_view leaf) {
  if (leaf.size() > max_leaf_bytes) return bad("too long");
  if (!leaf.starts_with(tag)) return bad("another format or version");
  auto rest = leaf.substr(tag.size());
  AuditEntry entry;
  while (!rest.empty()) {
    Piece piece;
    if (!take(rest, piece)) return bad("the end is cut off");
    bool good = false;
    schema::each<AuditEntry>([&](auto const& field) {
      if (static_cast<std::uint64_t>(field.id) == piece.id)
        good = set(entry.*field.member, piece.value);
    });
    if (!good) return bad(fmt::format("field {} is unknown or of another type", piece.id));
  }
  // Order, repetition, missing fields and spelled-out defaults: all show as another encoding.
  auto const again = leaf_bytes(entry);
  if (!again || *again != leaf) return bad("not the canonical form");
  return entry;
}

}  // namespace lepton::auditor
