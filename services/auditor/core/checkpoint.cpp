#include "services/auditor/core/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "common/base/text.hpp"
#include "common/crypto/encode.hpp"

namespace lepton::auditor {
namespace {

Error bad(std::string_view why) {
  return Error{Code::invalid,
               fmt::format("this is not a checkpoint: {}; fetch it again, byte for byte", why)};
}

std::optional<std::uint64_t> parse_size(std::string_view digits) {
  std::uint64_t size = 0;
  auto const* end = digits.data() + digits.size();
  auto const [stop, error] = std::from_chars(digits.data(), end, size);
  auto const one_spelling = !digits.empty() && (digits[0] != '0' || digits.size() == 1);
  if (error != std::errc{} || stop != end || !one_spelling || size > max_tree_size)
    return std::nullopt;
  return size;
}

bool is_line(std::string_view line) {
  return !line.empty() &&
         std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

}  // namespace

std::string checkpoint_text(Checkpoint const& checkpoint) {
  auto text = fmt::format("{}\n{}\n{}\n", checkpoint.origin, checkpoint.size,
                          crypto::base64(crypto::view(checkpoint.root)));
  for (auto const& line : checkpoint.extensions) text += line + "\n";
  return text;
}

Result<Checkpoint> parse_checkpoint_text(std::string_view text) {
  if (!text.ends_with('\n')) return bad("the last line is cut off");
  text.remove_suffix(1);
  auto const lines = text::split(text, '\n');
  if (lines.size() < 3) return bad("it needs the lines origin, size and root");
  if (!std::all_of(lines.begin(), lines.end(), is_line))
    return bad("a line is empty or not printable ASCII");
  auto const size = parse_size(lines[1]);
  if (!size) return bad("the size is not a plain decimal number");
  auto const root = crypto::from_base64(lines[2]);
  Checkpoint checkpoint{lines[0], *size, {}, {lines.begin() + 3, lines.end()}};
  if (!root || root->size() != checkpoint.root.size()) return bad("the root is not 32 octets");
  std::copy(root->begin(), root->end(), checkpoint.root.begin());
  if (checkpoint.size == 0 && checkpoint.root != empty_root())
    return bad("the root of an empty log is not the one of no entries");
  return checkpoint;
}

Result<std::string> sign_checkpoint(Checkpoint const& checkpoint, crypto::SigningKey const& key) {
  auto const text = checkpoint_text(checkpoint);
  // A text that does not read back as what was meant must never be signed.
  auto const meant = parse_checkpoint_text(text);
  if (!meant) return meant.error();
  if (*meant != checkpoint) return bad("a line feed inside a line");
  return sign_note(text, checkpoint.origin, key);
}

Result<Checkpoint> open_checkpoint(std::string_view note, NoteKey const& key) {
  auto const text = open_note(note, key);
  if (!text) return text.error();
  auto checkpoint = parse_checkpoint_text(*text);
  if (checkpoint && checkpoint->origin != key.name())
    return Error{Code::denied,
                 fmt::format("this checkpoint is of the log {}, the key belongs to {}; use the "
                             "verifier key of that log",
                             checkpoint->origin, key.name())};
  return checkpoint;
}

}  // namespace lepton::auditor
