#include "services/auditor/core/checkpoint.hpp"
#include "services/auditor/core/note.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "common/crypto/seeded_entropy.hpp"
#include "tests/services/auditor_core/reference.hpp"

namespace lepton::auditor {
namespace {

crypto::SigningKey signing_key(std::uint64_t seed = 1) {
  crypto::SeededEntropy entropy(seed);
  return crypto::SigningKey::create(entropy);
}

NoteKey note_key(std::string_view name = "lepton.example/audit", std::uint64_t seed = 1) {
  return *NoteKey::create(name, signing_key(seed).public_key());
}

Checkpoint sample() {
  return {"lepton.example/audit", 42, leaf_hash("root"), {}};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  auto const at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Checkpoint, SignedOneOpensWithItsKeyOnly) {
  auto const note = *sign_checkpoint(sample(), signing_key());
  auto const opened = open_checkpoint(note, note_key());
  ASSERT_TRUE(opened);
  EXPECT_EQ(*opened, sample());
  EXPECT_EQ(open_checkpoint(note, note_key("lepton.example/audit", 2)).error().code, Code::denied);
  EXPECT_EQ(open_checkpoint(note, note_key("other.example/audit")).error().code, Code::denied);
}

TEST(Checkpoint, AnyFlippedBitIsRefused) {
  auto const note = *sign_checkpoint(sample(), signing_key());
  auto const key = note_key();
  for (std::size_t i = 0; i < note.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = note;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      EXPECT_FALSE(open_checkpoint(changed, key)) << i << " bit " << bit;
    }
}

TEST(Checkpoint, AnyTruncationIsRefused) {
  auto const note = *sign_checkpoint(sample(), signing_key());
  for (std::size_t length = 0; length < note.size(); ++length)
    EXPECT_FALSE(open_checkpoint(note.substr(0, length), note_key())) << length;
  EXPECT_FALSE(open_checkpoint(note + "\n", note_key()));
  EXPECT_FALSE(open_checkpoint("\n" + note, note_key()));
}

TEST(Checkpoint, GrammarHasOneSpelling) {
  auto const text = checkpoint_text(sample());
  EXPECT_EQ(*parse_checkpoint_text(text), sample());
  auto const code = [&](std::string_view from, std::string_view to) {
    auto const parsed = parse_checkpoint_text(replaced(text, from, to));
    return parsed ? Code::unknown : parsed.error().code;
  };
  for (std::string_view size : {"\n042\n", "\n+42\n", "\n-1\n", "\n\n", "\n42 \n", "\n 42\n",
                                "\n0x2\n", "\n18446744073709551616\n", "\n4611686018427387905\n"})
    EXPECT_EQ(code("\n42\n", size), Code::invalid) << size;
  EXPECT_EQ(code("lepton", ""), Code::unknown);  // another origin is still a checkpoint
  EXPECT_EQ(code("lepton.example/audit", ""), Code::invalid);
  EXPECT_EQ(code("lepton", "\xC3\xA9"), Code::invalid);
  EXPECT_EQ(code("lepton", "a\rb"), Code::invalid);
  EXPECT_EQ(code("=\n", "\n"), Code::invalid);
  EXPECT_EQ(code("=\n", "=\n\n"), Code::invalid);
  EXPECT_EQ(code("=\n", "="), Code::invalid);
  EXPECT_EQ(code("\n42\n", "\n0\n"), Code::invalid);  // an empty log has one root
}

TEST(Checkpoint, KeepsExtensionLines) {
  auto with = sample();
  with.extensions = {"first", "second line"};
  EXPECT_EQ(*open_checkpoint(*sign_checkpoint(with, signing_key()), note_key()), with);
}

TEST(Checkpoint, NeverSignsWhatReadsBackDifferently) {
  for (auto origin : {"", "two\nlines", "tab\there", "with space", "with+plus"}) {
    auto bad = sample();
    bad.origin = origin;
    EXPECT_FALSE(sign_checkpoint(bad, signing_key())) << origin;
  }
  auto injected = sample();
  injected.extensions = {"a\nb"};
  EXPECT_FALSE(sign_checkpoint(injected, signing_key()));
  injected.extensions = {""};
  EXPECT_FALSE(sign_checkpoint(injected, signing_key()));
}

TEST(Checkpoint, OriginMustBeTheNameOfTheKey) {
  auto const text = checkpoint_text(sample());
  auto const note = *sign_note(text, "other.example/audit", signing_key());
  EXPECT_EQ(open_checkpoint(note, note_key("other.example/audit")).error().code, Code::denied);
}

TEST(Note, WitnessSignaturesAreLeftAsideButMustBeWellFormed) {
  auto const note = *sign_checkpoint(sample(), signing_key());
  auto const other = *sign_note(checkpoint_text(sample()), "witness.example", signing_key(7));
  auto const cosigned = note + other.substr(other.find("\n\n") + 2);
  EXPECT_TRUE(open_checkpoint(cosigned, note_key()));
  EXPECT_EQ(parse_note(cosigned)->signatures.size(), 2u);
  EXPECT_TRUE(open_note(cosigned, note_key("witness.example", 7)));
  EXPECT_FALSE(open_checkpoint(note + "\xE2\x80\x94 witness.example AAAA\n", note_key()));
  EXPECT_FALSE(open_checkpoint(note + "\xE2\x80\x94 witness.example not base64\n", note_key()));
  EXPECT_FALSE(open_checkpoint(note + "- witness.example AAAAAAAA\n", note_key()));
}

TEST(Note, AWrongSignatureBesideTheRightOneIsRefused) {
  auto const note = *sign_checkpoint(sample(), signing_key());
  auto other = sample();
  other.size = 43;
  auto const second = *sign_checkpoint(other, signing_key());
  EXPECT_EQ(open_checkpoint(note + second.substr(second.find("\n\n") + 2), note_key()).error().code,
            Code::denied);
}

TEST(Note, LimitsHold) {
  auto note = *sign_checkpoint(sample(), signing_key());
  auto const line = note.substr(note.find("\n\n") + 2);
  for (std::size_t i = 1; i < max_signatures; ++i) note += line;
  EXPECT_TRUE(open_checkpoint(note, note_key()));
  EXPECT_EQ(parse_note(note + line).error().code, Code::invalid);
  EXPECT_EQ(parse_note(std::string(max_note_bytes + 1, '\n')).error().code, Code::invalid);
}

TEST(NoteKey, TextReadsBackAndOneSpellingIsAccepted) {
  // A published key: the key id in it was computed elsewhere.
  std::string const published =
      "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
  auto const key = NoteKey::parse(published);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->text(), published);
  EXPECT_EQ(key->name(), "example.com/log/testdata");
  for (auto const& bad :
       {replaced(published, "33d7b496", "33d7b497"), replaced(published, "33d7b496", "33D7B496"),
        replaced(published, "+Ae", "+Be"), replaced(published, "example", "sample"),
        replaced(published, "+33d7b496", ""), published + "A", std::string("a+b"), std::string()})
    EXPECT_EQ(NoteKey::parse(bad).error().code, Code::invalid) << bad;
  EXPECT_FALSE(NoteKey::create("", signing_key().public_key()));
  EXPECT_FALSE(NoteKey::create("a b", signing_key().public_key()));
  EXPECT_FALSE(NoteKey::create(std::string(256, 'a'), signing_key().public_key()));
}

RC_GTEST_PROP(Checkpoint, EveryOneReadsBack, (std::uint64_t size, std::string const& seed)) {
  Checkpoint const meant{"log", size % max_tree_size + 1, leaf_hash(seed), {}};
  auto const opened = open_checkpoint(*sign_checkpoint(meant, signing_key()), note_key("log"));
  RC_ASSERT(opened.has_value());
  RC_ASSERT(*opened == meant);
}

RC_GTEST_PROP(Note, AnyTextIsParsedOrRefused, (std::string const& text)) {
  auto const parsed = parse_note(text);
  if (parsed) RC_ASSERT(!parsed->signatures.empty());
  (void)NoteKey::parse(text).has_value();
  (void)parse_checkpoint_text(text).has_value();
}

}  // namespace
}  // namespace lepton::auditor
