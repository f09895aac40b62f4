#include "services/vault/core/tokens.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

namespace lepton::vault {
namespace {

constexpr WallMs now_ms = 1'800'000'000'000;
constexpr std::int64_t hour_ms = 3'600'000;
std::string const curve_key(40, '0');

access::PolicySet policies() {
  using enum Verb;
  return access::PolicySet::create({{"admin", {{"*", {read, write, manage}, Effect::allow}}},
                                    {"maker", {{"token", {write}, Effect::allow}}},
                                    {"ml", {{"secret/ml/*", {read}, Effect::allow}}},
                                    {"all", {{"secret/*", {read, write}, Effect::allow}}},
                                    {"safe", {{"secret/+/root", {read}, Effect::deny}}}})
      .value();
}
TokenClaims creator(std::vector<std::string> names, std::int64_t ttl_ms = 24 * hour_ms) {
  return {"parent", "ann", std::move(names), "", now_ms - 1000, now_ms + ttl_ms};
}
Result<TokenClaims> make(TokenRequest const& request, TokenClaims const& by) {
  return grant(request, by, policies(), "child", now_ms);
}

TEST(Ttl, is_clamped_at_its_edges) {
  TokenLimits const limits;
  auto const ttl = [&](std::int64_t ms) { return clamp_ttl(ms, limits).value(); };
  EXPECT_EQ(ttl(0), limits.default_ttl_ms);
  EXPECT_EQ(ttl(1), 1000);
  EXPECT_EQ(ttl(999), 1000);
  EXPECT_EQ(ttl(1001), 1001);
  EXPECT_EQ(ttl(limits.max_ttl_ms - 1), limits.max_ttl_ms - 1);
  EXPECT_EQ(ttl(limits.max_ttl_ms), limits.max_ttl_ms);
  EXPECT_EQ(ttl(limits.max_ttl_ms + 1), limits.max_ttl_ms);
  EXPECT_EQ(ttl(std::numeric_limits<std::int64_t>::max()), limits.max_ttl_ms);
  EXPECT_EQ(clamp_ttl(-1, limits).error().code, Code::invalid);
  EXPECT_FALSE(clamp_ttl(std::numeric_limits<std::int64_t>::min(), limits));
}

TEST(Grant, a_manager_creates_for_anyone) {
  auto const claims = make({"bob", {"ml"}, curve_key, hour_ms}, creator({"admin"})).value();
  EXPECT_EQ(claims, (TokenClaims{"child", "bob", {"ml"}, curve_key, now_ms, now_ms + hour_ms}));
  EXPECT_TRUE(make({"bob", {"ml"}, "", 48 * hour_ms}, creator({"admin"})));
  EXPECT_EQ(make({"bob", {"mll"}, "", 0}, creator({"admin"})).error().code, Code::not_found);
  EXPECT_EQ(make({"b/b", {"ml"}, "", 0}, creator({"admin"})).error().code, Code::invalid);
  EXPECT_EQ(make({"bob", {"ml"}, "key", 0}, creator({"admin"})).error().code, Code::invalid);
}

TEST(Grant, others_give_what_they_hold_to_themselves) {
  auto const by = creator({"maker", "ml", "safe"});
  EXPECT_TRUE(make({"ann", {"ml", "safe"}, "", hour_ms}, by));
  auto const refused = [&](TokenRequest const& request) { return make(request, by).error(); };
  EXPECT_EQ(refused({"bob", {"ml", "safe"}, "", hour_ms}).code, Code::denied);
  EXPECT_NE(refused({"ann", {"all", "safe"}, "", hour_ms}).what.find("does not carry"),
            std::string::npos);
  EXPECT_NE(refused({"ann", {"ml"}, "", hour_ms}).what.find("denies something"), std::string::npos);
  EXPECT_EQ(make({"ann", {"ml"}, "", hour_ms}, creator({"ml"})).error().code, Code::denied);
}

TEST(Grant, a_bound_token_makes_bound_tokens) {
  auto by = creator({"maker", "ml"});
  by.key = curve_key;
  EXPECT_EQ(make({"ann", {"ml"}, "", hour_ms}, by).error().code, Code::denied);
  EXPECT_TRUE(make({"ann", {"ml"}, std::string(40, '1'), hour_ms}, by));
}

TEST(Grant, a_token_about_to_end_makes_no_other) {
  EXPECT_EQ(make({"ann", {}, "", hour_ms}, creator({"maker"}, 999)).error().code, Code::denied);
  EXPECT_EQ(make({"ann", {}, "", hour_ms}, creator({"maker"}, 1000))->expires_at_ms, now_ms + 1000);
  EXPECT_FALSE(make({"ann", {}, "", hour_ms}, creator({"maker"}, -5)));
}

// However often a token makes another one, none outlives the first.
RC_GTEST_PROP(Grant, no_chain_outlives_its_first_token, ()) {
  auto claims = creator({"maker", "ml"}, *rc::gen::inRange<std::int64_t>(900, 5000));
  auto const end_ms = claims.expires_at_ms;
  auto at_ms = now_ms;
  auto const set = policies();
  for (int i = 0; i < 10; ++i) {
    at_ms += *rc::gen::inRange(0, 1200);
    TokenRequest const request{
        "ann",
        {"maker", "ml"},
        "",
        *rc::gen::element<std::int64_t>(0, 1, 1000, 2000, 1'000'000'000'000)};
    auto const next = grant(request, claims, set, "t" + std::to_string(i), at_ms);
    RC_ASSERT(next.has_value() == (at_ms + 1000 <= claims.expires_at_ms));
    if (!next) break;
    RC_ASSERT(next->expires_at_ms <= end_ms);
    RC_ASSERT(next->expires_at_ms - at_ms >= 1000);
    claims = *next;
  }
}

// What a non-manager creates may do nothing that its creator may not.
RC_GTEST_PROP(Grant, nobody_grants_more_than_they_hold, ()) {
  using Verbs = std::vector<Verb>;
  auto const rule = rc::gen::build<PolicyRule>(
      rc::gen::set(&PolicyRule::path,
                   rc::gen::element<std::string>("secret/*", "secret/a", "secret/+", "secret/b/*",
                                                 "secret/{subject}", "job/*")),
      rc::gen::set(&PolicyRule::verbs, rc::gen::element(Verbs{Verb::read}, Verbs{Verb::write},
                                                        Verbs{Verb::read, Verb::write})),
      rc::gen::set(&PolicyRule::effect, rc::gen::element(Effect::allow, Effect::deny)));
  std::vector<Policy> stored = {{"maker", {{"token", {Verb::write}, Effect::allow}}}};
  for (char const* name : {"p", "q", "r"})
    stored.push_back(
        {name, *rc::gen::resize(3, rc::gen::container<std::vector<PolicyRule>>(rule))});
  auto const set = access::PolicySet::create(stored).value();
  auto const some = [] {
    std::vector<std::string> out = {"maker"};
    for (char const* name : {"p", "q", "r"})
      if (*rc::gen::arbitrary<bool>()) out.push_back(name);
    return out;
  };
  auto const by = creator(some());
  auto const child =
      grant({*rc::gen::element<std::string>("ann", "ann", "ann", "bob"), some(), "", hour_ms}, by,
            set, "child", now_ms);
  RC_CLASSIFY(child.has_value(), "granted");
  if (!child) return;
  for (char const* text : {"secret/a", "secret/ann", "secret/bob", "secret/b/c", "job/x", "token"})
    for (auto const verb : {Verb::read, Verb::write, Verb::manage}) {
      auto const path = access::ResourcePath::parse(text).value();
      RC_ASSERT(!set.decide(child->subject, child->policies, path, verb).allowed ||
                set.decide(by.subject, by.policies, path, verb).allowed);
    }
}

TokenRows family() {
  TokenRows rows;
  auto const add = [&](std::string const& id, std::string const& subject, std::string const& parent,
                       std::int64_t ttl_ms) {
    rows[id] = {{id, subject, {"ml"}, "", now_ms, now_ms + ttl_ms}, parent, false};
  };
  add("root", "admin", "", 10 * hour_ms);
  add("a", "ann", "root", 2 * hour_ms);
  add("a1", "ann", "a", hour_ms);
  add("a11", "ann", "a1", hour_ms);
  add("b", "bob", "root", 3 * hour_ms);
  return rows;
}
using Names = std::vector<std::string>;

TEST(Revoke, takes_all_that_came_from_it) {
  auto rows = family();
  auto const ann = creator({"ml"});
  EXPECT_EQ(revoke(rows, "a", ann, policies()).value(), (Names{"a", "a1", "a11"}));
  EXPECT_EQ(revoke(rows, "root", creator({"admin"}), policies())->size(), 5u);
  rows["a1"].revoked = true;
  EXPECT_EQ(revoke(rows, "a", ann, policies()).value(), (Names{"a", "a11"}));
}

TEST(Revoke, others_tokens_look_as_if_they_were_not_there) {
  auto const rows = family();
  auto const others = revoke(rows, "b", creator({"ml"}), policies());
  auto const absent = revoke(rows, "nothing", creator({"ml"}), policies());
  EXPECT_EQ(others.error(), absent.error());
  EXPECT_EQ(others.error().code, Code::not_found);
}

TEST(Revoke, a_cycle_of_parents_ends) {
  TokenRows rows = family();
  rows["a"].parent = "a11";
  EXPECT_EQ(revoke(rows, "a", creator({"admin"}), policies()).value(), (Names{"a", "a1", "a11"}));
  EXPECT_TRUE(expired(rows, now_ms).empty());
  EXPECT_EQ(expired(rows, now_ms + 20 * hour_ms).size(), 5u);
}

TEST(Expired, rows_go_when_no_live_token_needs_them) {
  auto rows = family();
  rows["a11"].claims.expires_at_ms = now_ms + 5 * hour_ms;  // made by a manager
  EXPECT_TRUE(expired(rows, now_ms + 2 * hour_ms).empty());
  EXPECT_EQ(expired(rows, now_ms + 4 * hour_ms), (Names{"b"}));
  EXPECT_EQ(expired(rows, now_ms + 5 * hour_ms), (Names{"a", "a1", "a11", "b"}));
}

TEST(Revoked, lists_what_has_not_expired) {
  auto rows = family();
  rows["a"].revoked = rows["b"].revoked = true;
  EXPECT_EQ(revoked(rows, now_ms), (Names{"a", "b"}));
  EXPECT_EQ(revoked(rows, now_ms + 2 * hour_ms), (Names{"b"}));
  EXPECT_TRUE(revoked(rows, now_ms + 3 * hour_ms).empty());
}

TEST(CheckRoom, counts_live_tokens) {
  TokenRows rows;
  for (std::size_t i = 0; i < max_live_tokens; ++i)
    rows[std::to_string(i)].claims.expires_at_ms = now_ms + 1;
  EXPECT_EQ(check_room(rows, now_ms).error().code, Code::exhausted);
  EXPECT_TRUE(check_room(rows, now_ms + 1));
  rows.erase(rows.begin());
  EXPECT_TRUE(check_room(rows, now_ms));
}

}  // namespace
}  // namespace lepton::vault
