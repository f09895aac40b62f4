// The public msgpack-test-suite: every encoding of a value decodes to it, and extension types are
// refused.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "common/codec/msgpack.hpp"

namespace lepton::codec {
namespace {

using Json = nlohmann::json;

std::string octets(std::string spaced) {
  std::erase(spaced, '-');
  return text::unhex(spaced).value();
}

bool same_number(Element e, double want, std::string const& exact) {
  std::int64_t whole = 0;
  std::uint64_t natural = 0;
  double real = 0;
  if (e.get_signed(whole)) return std::to_string(whole) == exact || double(whole) == want;
  if (e.get_unsigned(natural)) return std::to_string(natural) == exact || double(natural) == want;
  return e.get(real) && real == want;
}

bool same(Element e, Json const& want) {
  std::string_view text;
  bool flag = false;
  if (want.is_null()) return e.is_nil();
  if (want.is_boolean()) return e.get(flag) && flag == want.get<bool>();
  if (want.is_number()) return same_number(e, want.get<double>(), want.dump());
  if (want.is_string()) return e.get_text(text) && text == want.get<std::string>();
  if (e.size() != want.size()) return false;
  if (want.is_array()) {
    if (!e.is_array()) return false;
    for (std::size_t i = 0; i < want.size(); ++i)
      if (!same(e.item(i), want[i])) return false;
    return true;
  }
  if (!e.is_map()) return false;
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (!e.map_key(i).get_text(text) || !want.contains(text)) return false;
    if (!same(e.map_value(i), want[std::string(text)])) return false;
  }
  return true;
}

bool matches(Element e, Json const& sample) {
  std::string_view bytes;
  if (sample.contains("binary"))
    return e.get_bytes(bytes) && bytes == octets(sample["binary"].get<std::string>());
  if (sample.contains("bignum")) {
    auto const exact = sample["bignum"].get<std::string>();
    return same_number(e, std::strtod(exact.c_str(), nullptr), exact);
  }
  for (auto const* kind : {"nil", "bool", "number", "string", "array", "map"})
    if (sample.contains(kind)) return same(e, sample[kind]);
  return false;
}

TEST(MsgpackVectors, EveryEncodingDecodesToItsValue) {
  auto const* data = std::getenv("LEPTON_DATA");
  if (data == nullptr) GTEST_SKIP() << "set LEPTON_DATA to the folder of test data";
  std::ifstream file(std::string(data) + "/vectors/msgpack/dist/msgpack-test-suite.json");
  if (!file) GTEST_SKIP() << "no vectors/msgpack in LEPTON_DATA";
  int decoded = 0, refused = 0;
  auto const suite = Json::parse(file);
  for (auto const& [name, samples] : suite.items()) {
    for (auto const& sample : samples) {
      bool const extension = sample.contains("ext") || sample.contains("timestamp");
      for (auto const& encoding : sample["msgpack"]) {
        auto const bytes = octets(encoding.get<std::string>());
        auto const document = Document::parse(bytes);
        if (extension) {
          EXPECT_FALSE(document && matches(document->root(), sample));
          ++refused;
          continue;
        }
        ASSERT_TRUE(document) << name << " " << encoding << ": " << document.error().what;
        EXPECT_TRUE(matches(document->root(), sample)) << name << " " << encoding;
        ++decoded;
      }
    }
  }
  EXPECT_GT(decoded, 100);
  EXPECT_GT(refused, 20);
}

}  // namespace
}  // namespace lepton::codec
