// Messages that old versions wrote, as recorded/VERSION.hex keeps them: each is read, and nothing
// that it says is lost. Every message of this version stands in one of the files, or a change of it
// would break nothing here. VERSION is that of a set of schemas: 0.1 is what jobs, secrets, scaling
// and the audit log spoke at first, 0.2 has everything else, too. A message that is new adds its
// line to the newest file until the release; no line is ever changed or taken out.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "common/base/text.hpp"
#include "common/codec/msgpack.hpp"
#include "headers.inc"

namespace lepton {
namespace {

using codec::Element;

bool keeps(Element old, Element now);

template <class T>
bool same(bool (Element::*get)(T&) const, Element old, Element now) {
  T a{}, b{};
  return (old.*get)(a) && (now.*get)(b) && a == b;
}

bool keeps_all(Element old, Element now) {
  if (old.size() != now.size()) return false;
  for (std::size_t i = 0; i < old.size(); ++i)
    if (!keeps(old.item(i), now.item(i))) return false;
  return true;
}

bool keeps_each(Element old, Element now) {
  for (std::size_t i = 0; i < old.size(); ++i) {
    bool found = false;
    for (std::size_t k = 0; k < now.size() && !found; ++k)
      found = keeps(old.map_key(i), now.map_key(k)) && keeps(old.map_value(i), now.map_value(k));
    if (!found) return false;
  }
  return true;
}

// Does `now` say all that `old` says? Newer fields may stand beside.
bool keeps(Element old, Element now) {
  if (old.is_array()) return now.is_array() && keeps_all(old, now);
  if (old.is_map()) return now.is_map() && keeps_each(old, now);
  if (old.is_nil()) return now.is_nil();
  return same<bool>(&Element::get, old, now) || same(&Element::get_signed, old, now) ||
         same(&Element::get_unsigned, old, now) || same<double>(&Element::get, old, now) ||
         same(&Element::get_text, old, now) || same(&Element::get_bytes, old, now);
}

// What the message says after it was read and written by this version.
template <class M>
Result<std::string> again(std::string const& recorded) {
  auto const message = codec::decode<M>(recorded);
  if (!message) return message.error();
  return codec::encode(*message);
}

using Again = Result<std::string> (*)(std::string const&);

std::map<std::string, Again> const& messages() {
  static std::map<std::string, Again> const all{
#define LEPTON_MESSAGE(M) {#M, &again<M>},
#include "messages.inc"
#undef LEPTON_MESSAGE
  };
  return all;
}

void check_line(std::string const& line, std::set<std::string>& names) {
  auto const words = text::split(line, ' ');
  ASSERT_EQ(words.size(), 2u) << line;
  names.insert(std::string(words[0]));
  auto const recorded = text::unhex(words[1]);
  ASSERT_TRUE(recorded) << words[0];
  auto const known = messages().find(words[0]);
  ASSERT_NE(known, messages().end()) << words[0] << " is gone, and its old form cannot be read";
  auto const now = known->second(*recorded);
  ASSERT_TRUE(now) << words[0] << ": " << now.error().what;
  auto const before = codec::Document::parse(*recorded), after = codec::Document::parse(*now);
  ASSERT_TRUE(before && after);
  EXPECT_TRUE(keeps(before->root(), after->root())) << words[0] << " has lost something";
}

// The names of all that are recorded, each checked.
std::set<std::string> check_files() {
  std::set<std::string> names;
  for (auto const& entry : std::filesystem::directory_iterator("tests/schemas/recorded")) {
    SCOPED_TRACE(entry.path().filename().string());
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) check_line(line, names);
  }
  return names;
}

TEST(Recorded, EveryMessageOfEveryOldVersionIsReadWhole) {
  auto const recorded = check_files();
  for (auto const& [name, _] : messages())
    EXPECT_TRUE(recorded.contains(name))
        << name << " is in no file; run: build/release/bin/record_messages | grep '^" << name
        << " ' >> tests/schemas/recorded/NEWEST.hex";
}

// A document refers to the octets that it was read from.
bool keeps_hex(std::string_view old, std::string_view now) {
  auto const before = *text::unhex(old), after = *text::unhex(now);
  auto const a = codec::Document::parse(before), b = codec::Document::parse(after);
  return a && b && keeps(a->root(), b->root());
}

TEST(Recorded, ALossIsSeen) {
  // {1: "a", 2: [1, 2]} against itself, with a newer field, and with less.
  auto const old = "8201a16102920102";
  EXPECT_TRUE(keeps_hex(old, old));
  EXPECT_TRUE(keeps_hex(old, "8301a1610292010203c3"));
  EXPECT_FALSE(keeps_hex(old, "8101a161"));
  EXPECT_FALSE(keeps_hex(old, "8201a16202920102"));
  EXPECT_FALSE(keeps_hex(old, "8201a161029101"));
}

}  // namespace
}  // namespace lepton
