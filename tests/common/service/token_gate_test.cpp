// Who passes the client door, and with which rights.

#include "common/service/token_gate.hpp"

#include <gtest/gtest.h>

#include "tests/common/service/rules.hpp"

namespace lepton::service::testing {
namespace {

TEST(TokenGate, WithoutRulesATokenIsRefusedForNow) {
  TokenGate gate;
  EXPECT_EQ(gate.identify(token_of_ann(), "k", now_ms).error().code, Code::unavailable);
}

TEST(TokenGate, AClientWithoutATokenIsItsKeyAndMayDoNothing) {
  TokenGate gate;
  ASSERT_TRUE(gate.update(rules(1)));
  auto const caller = gate.identify("", "k", now_ms);
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->name, "key:k");
  EXPECT_EQ(caller->door, actor::Door::client);
  auto const refused = gate.allow(*caller, Verb::read, "secret/ml/hf");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::denied);
  EXPECT_NE(refused.error().what.find("lepton token create"), std::string::npos);
}

TEST(TokenGate, ATokenGivesItsNameAndWhatItsPoliciesAllow) {
  TokenGate gate;
  ASSERT_TRUE(gate.update(rules(1)));
  auto const ann = gate.identify(token_of_ann(), "k", now_ms);
  ASSERT_TRUE(ann);
  EXPECT_EQ(ann->name, "ann");
  EXPECT_EQ(ann->policies, std::vector<std::string>{"ml"});
  EXPECT_TRUE(gate.allow(*ann, Verb::read, "secret/ml/hf"));
  EXPECT_EQ(gate.allow(*ann, Verb::write, "secret/ml/hf").error().code, Code::denied);
  EXPECT_EQ(gate.allow(*ann, Verb::read, "secret/other").error().code, Code::denied);
  EXPECT_EQ(gate.allow(*ann, Verb::read, "secret/../ml").error().code, Code::invalid);
}

TEST(TokenGate, NewRulesRevokeAndOldOnesAreNotTakenBack) {
  TokenGate gate;
  ASSERT_TRUE(gate.update(rules(2, {"t1"})));
  EXPECT_EQ(gate.identify(token_of_ann(), "k", now_ms).error().code, Code::denied);
  EXPECT_EQ(gate.update(rules(1)).error().code, Code::conflict);
  EXPECT_EQ(gate.revision(), 2u);
  EXPECT_EQ(gate.identify(token_of_ann(), "k", now_ms).error().code, Code::denied);
}

TEST(TokenGate, AForgedTokenIsRefused) {
  TokenGate gate;
  ASSERT_TRUE(gate.update(rules(1)));
  auto forged = token_of_ann();
  forged[forged.size() / 2] = forged[forged.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(gate.identify(forged, "k", now_ms));
}

}  // namespace
}  // namespace lepton::service::testing
