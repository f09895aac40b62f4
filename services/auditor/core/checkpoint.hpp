#pragma once
// A checkpoint: the signed sentence "log `origin` has `size` entries under this root". Whoever
// keeps one can later prove that nothing before it was changed. Source: C2SP tlog-checkpoint, on
// signed notes (note.hpp). Pure, any thread.
//
//   <origin> LF <size, decimal, no leading zero> LF <base64 of the root> LF [<extension> LF ...]
//
// Errors: invalid (not a checkpoint), denied (the signature, or the origin is another log's).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "services/auditor/core/merkle.hpp"
#include "services/auditor/core/note.hpp"

namespace lepton::auditor {

struct Checkpoint {
  std::string origin;  // name of the log and of the key that signs it
  std::uint64_t size = 0;
  Hash root{};
  std::vector<std::string> extensions;  // lines of other logs; this one writes none

  bool operator==(Checkpoint const&) const = default;
};

std::string checkpoint_text(Checkpoint const& checkpoint);
Result<Checkpoint> parse_checkpoint_text(std::string_view text);

// Signed under the origin as key name, as C2SP asks for.
Result<std::string> sign_checkpoint(Checkpoint const& checkpoint, crypto::SigningKey const& key);
// Checks the signature and that the origin is the name of the key: one log cannot pose as another.
Result<Checkpoint> open_checkpoint(std::string_view note, NoteKey const& key);

}  // namespace lepton::auditor
