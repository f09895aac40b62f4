#include "services/auditor/core/note.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.hpp"
#include "common/crypto/encode.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::auditor {
namespace {

constexpr std::string_view dash = "\xE2\x80\x94 ";  // U+2014 and a space
constexpr char ed25519 = 1;

Error bad_note(std::string_view why) {
  return Error{Code::invalid, fmt::format("this is not a signed note: {}; fetch it again, byte for "
                                          "byte",
                                          why)};
}

Error bad_key(std::string_view why) {
  return Error{
      Code::invalid,
      fmt::format("this is not a verifier key: {}; it looks like NAME+8 hex digits+base64", why)};
}

bool printable(char c) {
  return c >= 0x20 && c <= 0x7e;
}

bool is_text(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return printable(c) || c == '\n'; });
}

Result<NoteSignature> parse_signature(std::string_view line) {
  if (!line.starts_with(dash)) return bad_note("a signature line does not begin with a dash");
  line.remove_prefix(dash.size());
  auto const space = line.find(' ');
  if (space == line.npos || !is_key_name(line.substr(0, space)))
    return bad_note("a signature line has no key name");
  auto const bytes = crypto::from_base64(line.substr(space + 1));
  NoteSignature signature{std::string(line.substr(0, space)), {}, {}};
  if (!bytes || bytes->size() <= signature.id.size())
    return bad_note("a signature is not base64 of a key id and a signature");
  std::copy_n(bytes->begin(), signature.id.size(), signature.id.begin());
  signature.signature = bytes->substr(signature.id.size());
  return signature;
}

}  // namespace

bool is_key_name(std::string_view name) {
  return !name.empty() && name.size() <= max_key_name_bytes &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return printable(c) && c != ' ' && c != '+'; });
}

KeyId key_id(std::string_view name, crypto::PublicKey const& key) {
  auto const hash =
      crypto::Sha256{}.update(name).update("\n\x01").update(crypto::view(key)).finish();
  KeyId id;
  std::copy_n(hash.begin(), id.size(), id.begin());
  return id;
}

Result<NoteKey> NoteKey::create(std::string_view name, crypto::PublicKey const& key) {
  if (!is_key_name(name))
    return bad_key("a name is 1 to 255 printable characters without space and '+'");
  return NoteKey(name, key);
}

Result<NoteKey> NoteKey::parse(std::string_view text) {
  // base64 may hold '+' too, so only the first two separate.
  auto const first = text.find('+');
  auto const second = first == text.npos ? first : text.find('+', first + 1);
  if (second == text.npos) return bad_key("it does not have three parts");
  auto const bytes = crypto::from_base64(text.substr(second + 1));
  crypto::PublicKey key;
  if (!bytes || bytes->size() != key.size() + 1 || bytes->front() != ed25519)
    return bad_key("the last part is not an Ed25519 public key");
  std::copy_n(bytes->begin() + 1, key.size(), key.begin());
  auto made = create(text.substr(0, first), key);
  if (made && made->text() != text) return bad_key("the key id belongs to another name or key");
  return made;
}

std::string NoteKey::text() const {
  return fmt::format("{}+{}+{}", name_, text::hex(crypto::view(id_)),
                     crypto::base64(ed25519 + std::string(crypto::view(key_.bytes()))));
}

Result<std::string> sign_note(std::string_view text, std::string_view name,
                              crypto::SigningKey const& key) {
  if (text.size() > max_note_bytes / 2 || !text.ends_with('\n') || text.ends_with("\n\n") ||
      text == "\n" || !is_text(text) || !is_key_name(name))
    return bad_note(
        "the text must be printable lines, the last not empty, signed under a key name");
  auto const id = key_id(name, key.public_key());
  auto const signature = key.sign(text);
  return fmt::format(
      "{}\n{}{} {}\n", text, dash, name,
      crypto::base64(fmt::format("{}{}", crypto::view(id), crypto::view(signature))));
}

Result<Note> parse_note(std::string_view note) {
  if (note.size() > max_note_bytes) return bad_note("it is too long");
  auto const gap = note.rfind("\n\n");
  if (gap == note.npos || gap == 0) return bad_note("no empty line parts text and signatures");
  Note parsed{std::string(note.substr(0, gap + 1)), {}};
  if (!is_text(parsed.text)) return bad_note("the text is not printable ASCII");
  auto lines = note.substr(gap + 2);
  if (!lines.ends_with('\n')) return bad_note("it has no signature, or its last line is cut off");
  while (!lines.empty()) {
    auto const end = lines.find('\n');
    auto signature = parse_signature(lines.substr(0, end));
    if (!signature) return signature.error();
    if (parsed.signatures.size() == max_signatures) return bad_note("it has too many signatures");
    parsed.signatures.push_back(std::move(*signature));
    lines.remove_prefix(end + 1);
  }
  return parsed;
}

Result<std::string> open_note(std::string_view note, NoteKey const& key) {
  auto parsed = parse_note(note);
  if (!parsed) return parsed.error();
  auto signed_by_key = false;
  for (auto const& signature : parsed->signatures) {
    if (signature.name != key.name() || signature.id != key.id()) continue;
    if (!key.verify(parsed->text, signature.signature))
      return Error{Code::denied,
                   fmt::format("the signature of {} does not belong to this text; the "
                               "note was changed, keep it as evidence",
                               key.name())};
    signed_by_key = true;
  }
  if (signed_by_key) return std::move(parsed->text);
  return Error{Code::denied, fmt::format("the note is not signed by {}; check that it comes from "
                                         "this log and that the verifier key is current",
                                         key.text())};
}

}  // namespace lepton::auditor
