#include "services/auditor/core/redact.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "common/base/text.hpp"
#include "common/crypto/hash.hpp"

namespace lepton::auditor {
namespace {

std::string const key(32, 'k');

Redactor redactor(std::set<std::string> clear = {"path", "version", "ratio", "deleted"},
                  std::string const& audit_key = key) {
  return *Redactor::create(std::move(clear), Secret<>(audit_key));
}

TEST(Redact, ClearFieldsStayReadable) {
  EXPECT_EQ(*redactor().detail({{"version", std::int64_t{-3}},
                                {"path", std::string(R"(kv/"a"\b)")},
                                {"deleted", true},
                                {"ratio", 0.5}}),
            R"({"deleted":true,"path":"kv/\"a\"\\b","ratio":0.5,"version":"-3"})");
  EXPECT_EQ(*redactor().detail({}), "{}");
}

TEST(Redact, EverythingElseIsReplacedWhateverItsType) {
  auto const detail = *redactor().detail({{"token", std::string("hunter2")},
                                          {"pin", std::int64_t{424242}},
                                          {"size", std::uint64_t{31337}},
                                          {"blob", Bytes{"rawbytes"}},
                                          {"score", 2.75},
                                          {"flag", true}});
  for (auto const* secret : {"hunter2", "424242", "31337", "rawbytes", "2.75", "true"})
    EXPECT_EQ(detail.find(secret), detail.npos) << secret;
  auto const json = nlohmann::json::parse(detail);
  EXPECT_EQ(json.size(), 6u);
  for (auto const& value : json) EXPECT_EQ(value.at("hmac_sha256").get<std::string>().size(), 64u);
}

TEST(Redact, OctetsAreNeverClear) {
  auto const detail = *redactor().detail({{"path", Bytes{"rawbytes"}}});
  EXPECT_EQ(detail.find("rawbytes"), detail.npos);
}

TEST(Redact, ListedValuesThatAreNotPlainAreReplaced) {
  auto const replaced = [](DetailValue value) {
    auto const json = nlohmann::json::parse(*redactor().detail({{"path", std::move(value)}}));
    return json["path"].is_object();
  };
  EXPECT_FALSE(replaced(std::string(max_clear_bytes, 'a')));
  EXPECT_TRUE(replaced(std::string(max_clear_bytes + 1, 'a')));
  EXPECT_TRUE(replaced(std::string("a\nb")));
  EXPECT_TRUE(replaced(std::string("a\0b", 3)));
  EXPECT_TRUE(replaced(std::string("\xFF")));
  EXPECT_TRUE(replaced(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_TRUE(replaced(std::numeric_limits<double>::infinity()));
}

TEST(Redact, EqualValuesAreRecognisedOthersNot) {
  auto const r = redactor();
  auto const digest = r.digest("token", std::string("hunter2"));
  EXPECT_EQ(*r.detail({{"token", std::string("hunter2")}}),
            R"({"token":{"hmac_sha256":")" + digest + R"("}})");
  EXPECT_EQ(digest, redactor({}).digest("token", std::string("hunter2")));
  EXPECT_NE(digest, r.digest("token", std::string("hunter3")));
  EXPECT_NE(digest, r.digest("other", std::string("hunter2")));
  EXPECT_NE(digest, redactor({}, std::string(32, 'x')).digest("token", std::string("hunter2")));
  EXPECT_NE(r.digest("token", std::string("5")), r.digest("token", std::int64_t{5}));
  EXPECT_EQ(r.digest("token", std::uint64_t{5}), r.digest("token", std::int64_t{5}));
  EXPECT_NE(r.digest("a", std::string("bc")), r.digest("ab", std::string("c")));
}

TEST(Redact, DigestIsTheHmacThatTheHeaderPromises) {
  auto const message = std::string("lepton-audit-redact/1\n") + std::string("\0\0\0\0\0\0\0\5", 8) +
                       "token" + "t" + "hunter2";
  EXPECT_EQ(redactor().digest("token", std::string("hunter2")),
            text::hex(crypto::view(crypto::hmac_sha256(key, message))));
}

TEST(Redact, RefusesBadNamesWithoutRepeatingThem) {
  for (std::string const name : {"", "Token", "a b", "1a", "a\"b", "gr\xC3\xBC"}) {
    auto const result = redactor().detail({{name, true}});
    ASSERT_FALSE(result) << name;
    EXPECT_EQ(result.error().code, Code::invalid);
    EXPECT_TRUE(name.empty() || result.error().what.find(name) == std::string::npos);
  }
  EXPECT_FALSE(redactor().detail({{std::string(65, 'a'), true}}));
  EXPECT_FALSE(redactor().detail({{"a", true}, {"a", false}}));
  std::vector<DetailField> many;
  for (std::size_t i = 0; i <= max_detail_fields; ++i)
    many.push_back({"f" + std::to_string(i), true});
  EXPECT_FALSE(redactor().detail(many));
  many.pop_back();
  EXPECT_TRUE(redactor().detail(many));
}

TEST(Redact, RefusesAWeakKeyAndABadList) {
  EXPECT_FALSE(Redactor::create({}, Secret<>(std::string(31, 'k'))));
  EXPECT_FALSE(Redactor::create({"Bad"}, Secret<>(key)));
}

RC_GTEST_PROP(Redact, UnlistedTextNeverShows, (std::string const& text)) {
  auto const secret = "<" + text + ">";  // no JSON or hex around it can contain this by chance
  auto const detail = *redactor().detail({{"token", secret}});
  RC_ASSERT(detail.find(secret) == std::string::npos);
  RC_ASSERT(nlohmann::json::accept(detail));
}

RC_GTEST_PROP(Redact, ListedTextReadsBackOrIsReplaced, (std::string const& text)) {
  auto const json = nlohmann::json::parse(*redactor().detail({{"path", text}}));
  auto const path = json["path"];
  auto const good = path.is_object() || path.get<std::string>() == text;
  RC_ASSERT(good);
}

}  // namespace
}  // namespace lepton::auditor
