#pragma once
// Signed notes: a text with Ed25519 signatures that a person can read and any verifier of
// transparency logs understands. Source: C2SP signed-note v1. Pure, any thread.
//
//   <text, ends in a line feed>
//   <empty line>
//   U+2014 SP <key name> SP base64(key id (4 octets) || signature)      one or more lines
//
// Grammar, stricter than the source: printable ASCII only, at most max_note_bytes and
// max_signatures, base64 with its one spelling. A verifier key is "<name>+<key id as 8 hex
// digits>+base64(0x01 || public key)"; the key id is the first 4 octets of SHA-256(name || 0x0A ||
// 0x01 || public key). Errors: invalid (not a note, not a key), denied (the signature is missing or
// wrong).

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/crypto/sign.hpp"

namespace lepton::auditor {

inline constexpr std::size_t max_note_bytes = 64 * 1024;
inline constexpr std::size_t max_signatures = 64;
inline constexpr std::size_t max_key_name_bytes = 255;

using KeyId = std::array<unsigned char, 4>;

// Without spaces and '+', which separate the parts of notes and keys.
bool is_key_name(std::string_view name);
KeyId key_id(std::string_view name, crypto::PublicKey const& key);

// Who signs: a public key under a name.
class NoteKey {
 public:
  static Result<NoteKey> create(std::string_view name, crypto::PublicKey const& key);
  static Result<NoteKey> parse(std::string_view text);

  std::string const& name() const { return name_; }
  KeyId const& id() const { return id_; }
  std::string text() const;
  bool verify(std::string_view message, std::string_view signature) const {
    return key_.verify(message, signature);
  }

 private:
  NoteKey(std::string_view name, crypto::PublicKey const& key)
      : name_(name), id_(key_id(name, key)), key_(key) {}
  std::string name_;
  KeyId id_;
  crypto::VerifyKey key_;
};

struct NoteSignature {
  std::string name;
  KeyId id{};
  std::string signature;  // octets
};

struct Note {
  std::string text;  // with its last line feed; the signatures are over exactly this
  std::vector<NoteSignature> signatures;
};

// `text` ends in a line feed and has no empty last line.
Result<std::string> sign_note(std::string_view text, std::string_view name,
                              crypto::SigningKey const& key);
Result<Note> parse_note(std::string_view note);  // checks the form, no signature
// The text of a note that `key` signed; signatures by others (witnesses) are left aside.
Result<std::string> open_note(std::string_view note, NoteKey const& key);

}  // namespace lepton::auditor
