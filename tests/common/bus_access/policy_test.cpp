#include "common/bus/access/policy.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "common/base/text.hpp"

namespace lepton::access {
namespace {

ResourcePath path(std::string_view text) {
  return ResourcePath::parse(text).value();
}

PolicyRule allow(std::string pattern, std::vector<Verb> verbs) {
  return {std::move(pattern), std::move(verbs), Effect::allow};
}
PolicyRule deny(std::string pattern, std::vector<Verb> verbs) {
  return {std::move(pattern), std::move(verbs), Effect::deny};
}

TEST(PolicySet, denies_by_default) {
  auto const set = PolicySet::create({{"ml", {allow("secret/ml/*", {Verb::read})}}}).value();
  EXPECT_TRUE(set.decide("ann", {"ml"}, path("secret/ml/hf"), Verb::read).allowed);
  EXPECT_FALSE(set.decide("ann", {"ml"}, path("secret/ml/hf"), Verb::write).allowed);
  EXPECT_FALSE(set.decide("ann", {"ml"}, path("secret/ml"), Verb::read).allowed);
  EXPECT_FALSE(set.decide("ann", {}, path("secret/ml/hf"), Verb::read).allowed);
  EXPECT_FALSE(set.decide("ann", {"gone"}, path("secret/ml/hf"), Verb::read).allowed);
  EXPECT_FALSE(set.decide("ann", {"ml"}, path("secret/ml/hf"), Verb::unknown).allowed);
}

TEST(PolicySet, deny_wins_at_any_specificity_and_order) {
  for (bool const deny_first : {true, false}) {
    std::vector<PolicyRule> rules = {deny("secret/*", {Verb::list}),
                                     allow("secret/ml/hf", {Verb::list, Verb::read})};
    if (!deny_first) std::swap(rules[0], rules[1]);
    auto const set = PolicySet::create({{"a", {rules[0]}}, {"b", {rules[1]}}}).value();
    EXPECT_FALSE(set.decide("ann", {"a", "b"}, path("secret/ml/hf"), Verb::list).allowed);
    EXPECT_FALSE(set.decide("ann", {"b", "a"}, path("secret/ml/hf"), Verb::list).allowed);
    EXPECT_TRUE(set.decide("ann", {"b", "a"}, path("secret/ml/hf"), Verb::read).allowed);
  }
}

TEST(PolicySet, subject_stands_for_the_caller_only) {
  auto const set = PolicySet::create({{"own", {allow("job/{subject}/*", {Verb::run})}}}).value();
  EXPECT_TRUE(set.decide("ann", {"own"}, path("job/ann/train"), Verb::run).allowed);
  EXPECT_FALSE(set.decide("bob", {"own"}, path("job/ann/train"), Verb::run).allowed);
  for (auto const* subject : {"", "+", "*", "ann/train", "{subject}", "ANN", ".."})
    EXPECT_FALSE(set.decide(subject, {"own"}, path("job/ann/train"), Verb::run).allowed) << subject;
}

TEST(PolicySet, what_a_newer_version_means_grants_nothing) {
  auto const set = PolicySet::create({{"new", {allow("secret/*", {Verb::read, Verb::unknown})}},
                                      {"stop", {deny("secret/a", {Verb::unknown})}},
                                      {"odd", {{"secret/b", {Verb::read}, Effect::unknown}}}})
                       .value();
  std::vector<std::string> const all = {"new", "stop", "odd"};
  EXPECT_FALSE(set.decide("ann", all, path("secret/c"), Verb::write).allowed);
  EXPECT_TRUE(set.decide("ann", all, path("secret/c"), Verb::read).allowed);
  EXPECT_FALSE(set.decide("ann", all, path("secret/a"), Verb::read).allowed);
  EXPECT_FALSE(set.decide("ann", all, path("secret/b"), Verb::read).allowed);
}

TEST(PolicySet, explains_the_rule_that_decided) {
  auto const set = PolicySet::create({{"ml", {allow("secret/ml/*", {Verb::read})}},
                                      {"safe", {deny("secret/+/root", {Verb::read})}}})
                       .value();
  std::vector<std::string> const both = {"ml", "safe"};
  EXPECT_EQ(set.explain("ann", both, path("secret/ml/hf"), Verb::read),
            "read secret/ml/hf is allowed by rule 'secret/ml/*' of policy ml");
  EXPECT_EQ(set.explain("ann", both, path("secret/ml/root"), Verb::read),
            "read secret/ml/root is denied by rule 'secret/+/root' of policy safe");
  EXPECT_EQ(set.explain("ann", {"ml", "gone"}, path("vault"), Verb::manage),
            "manage vault is denied: no rule allows it in ml, gone (which does not exist)");
  EXPECT_EQ(set.explain("ann", {}, path("vault"), Verb::read),
            "read vault is denied: the token carries no policy");
  EXPECT_EQ(set.explain("A B", both, path("vault"), Verb::read),
            "read vault is denied: the caller's name is not a legal segment");
}

TEST(CheckPolicy, refuses_what_nobody_could_mean) {
  EXPECT_TRUE(check_policy({"ml", {allow("secret/ml/*", {Verb::read})}}));
  auto const refused = [](Policy const& policy) { return check_policy(policy).error().what; };
  EXPECT_NE(refused({"ML", {allow("vault", {Verb::read})}}).find("policy name"), std::string::npos);
  EXPECT_NE(refused({"ml", {}}).find("0 rules"), std::string::npos);
  EXPECT_NE(refused({"ml", {allow("vault", {})}}).find("no verb"), std::string::npos);
  EXPECT_NE(refused({"ml", {allow("vault", {Verb::unknown})}}).find("verb"), std::string::npos);
  EXPECT_NE(refused({"ml", {allow("vault", {static_cast<Verb>(99)})}}).find("verb"),
            std::string::npos);
  EXPECT_NE(refused({"ml", {{"vault", {Verb::read}, Effect::unknown}}}).find("effect"),
            std::string::npos);
  EXPECT_EQ(refused({"ml", {allow("vault", {Verb::read}), allow("secrets/*", {Verb::read})}}),
            "rule 2 of policy ml: 'secrets' is no kind of resource, did you mean 'secret'?; the "
            "kinds are alert, audit, job, node, policy, pool, secret, service, token, vault");
  EXPECT_FALSE(
      check_policy({"ml", std::vector<PolicyRule>(max_rules + 1, allow("vault", {Verb::read}))}));
}

TEST(PolicySet, refuses_two_of_one_name_and_bad_patterns) {
  Policy const one{"ml", {allow("vault", {Verb::read})}};
  EXPECT_EQ(PolicySet::create({one, one}).error().code, Code::conflict);
  EXPECT_EQ(PolicySet::create({{"ml", {allow("secret/**", {Verb::read})}}}).error().code,
            Code::invalid);
}

// The model: an independent matcher by recursion, and every policy read rule by rule.
using Words = std::vector<std::string>;

bool model_matches(Words const& pattern, std::size_t p, Words const& words, std::size_t w,
                   std::string const& subject) {
  if (p == pattern.size()) return w == words.size();
  if (w == words.size()) return false;
  if (pattern[p] == "*") return true;
  bool const here = pattern[p] == "+" ||
                    (pattern[p] == "{subject}" ? words[w] == subject : words[w] == pattern[p]);
  return here && model_matches(pattern, p + 1, words, w + 1, subject);
}

Words all_texts(Words const& firsts, Words const& others, std::size_t depth, bool star) {
  Words out, level = firsts;
  for (std::size_t n = 1; n <= depth; ++n) {
    Words next;
    for (auto const& text : level) {
      out.push_back(text);
      if (star) out.push_back(text + "/*");
      for (auto const& word : others) next.push_back(text + "/" + word);
    }
    level = std::move(next);
  }
  if (star) out.push_back("*");
  return out;
}

TEST(PathPattern, matches_as_the_model_over_all_small_texts) {
  auto const patterns = all_texts({"job", "secret", "+"}, {"a", "b", "+", "{subject}"}, 3, true);
  auto const paths = all_texts({"job", "secret", "vault"}, {"a", "b", "c"}, 4, false);
  std::size_t matched = 0, compared = 0;
  for (auto const& pattern_text : patterns) {
    auto const pattern = PathPattern::parse(pattern_text).value();
    for (auto const& path_text : paths) {
      auto const resource = path(path_text);
      for (std::string const subject : {"a", "c"}) {
        bool const expected = model_matches(text::split(pattern_text, '/'), 0,
                                            text::split(path_text, '/'), 0, subject);
        ASSERT_EQ(pattern.matches(resource.segments(), subject), expected)
            << pattern_text << " on " << path_text << " for " << subject;
        matched += expected ? 1 : 0;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 25'000u);
  EXPECT_GT(matched, 1'000u);
}

rc::Gen<PolicyRule> any_rule() {
  static auto const patterns =
      all_texts({"job", "secret", "+"}, {"a", "b", "+", "{subject}"}, 3, true);
  return rc::gen::build<PolicyRule>(
      rc::gen::set(&PolicyRule::path, rc::gen::elementOf(patterns)),
      rc::gen::set(&PolicyRule::verbs, rc::gen::nonEmpty(rc::gen::container<std::vector<Verb>>(
                                           rc::gen::element(Verb::read, Verb::list, Verb::run)))),
      rc::gen::set(&PolicyRule::effect,
                   rc::gen::weightedElement<Effect>({{3, Effect::allow}, {1, Effect::deny}})));
}

RC_GTEST_PROP(PolicySet, decides_as_the_model, ()) {
  auto const rules = *rc::gen::container<std::vector<PolicyRule>>(any_rule());
  auto const more = *rc::gen::container<std::vector<PolicyRule>>(any_rule());
  auto const set = PolicySet::create({{"one", rules}, {"two", more}}).value();
  bool const with_two = *rc::gen::arbitrary<bool>();
  static auto const paths = all_texts({"job", "secret", "vault"}, {"a", "b", "c"}, 3, false);
  auto const text = *rc::gen::elementOf(paths);
  auto const verb = *rc::gen::element(Verb::read, Verb::list, Verb::run, Verb::write);

  auto considered = rules;
  if (with_two) considered.insert(considered.end(), more.begin(), more.end());
  bool allowed = false, denied = false;
  for (auto const& rule : considered) {
    bool const speaks =
        std::count(rule.verbs.begin(), rule.verbs.end(), verb) > 0 &&
        model_matches(text::split(rule.path, '/'), 0, text::split(text, '/'), 0, "a");
    (rule.effect == Effect::deny ? denied : allowed) |= speaks;
  }
  Words const names = with_two ? Words{"one", "two"} : Words{"one"};
  RC_ASSERT(set.decide("a", names, path(text), verb).allowed == (allowed && !denied));
  RC_CLASSIFY(allowed && denied, "both");
}

}  // namespace
}  // namespace lepton::access
