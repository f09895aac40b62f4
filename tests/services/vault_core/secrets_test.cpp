#include "services/vault/core/secrets.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace lepton::vault {
namespace {

SecretVersion version(std::uint32_t number) {
  return {number, number, "ann", Bytes{"sealed " + std::to_string(number)}};
}
SecretRecord with(int versions) {
  SecretRecord record{"secret/ml/hf", 0, {}};
  for (int i = 0; i < versions; ++i)
    add_version(record, version(next_version(record, 1, std::nullopt).value()));
  return record;
}

TEST(SecretPath, names_a_secret) {
  EXPECT_TRUE(check_secret_path("secret/ml/hf"));
  for (auto const* path : {"secret", "secret/", "job/ann/x", "secret/../vault", "secret/ML", ""})
    EXPECT_EQ(check_secret_path(path).error().code, Code::invalid) << path;
}

TEST(Secrets, compare_and_set) {
  auto record = with(0);
  EXPECT_EQ(next_version(record, 1, 0).value(), 1u);
  EXPECT_EQ(next_version(record, 1, 1).error().code, Code::conflict);
  add_version(record, version(1));
  EXPECT_EQ(next_version(record, 1, 0).error().code, Code::conflict);
  EXPECT_EQ(next_version(record, 1, 1).value(), 2u);
  EXPECT_EQ(next_version(record, 1, std::nullopt).value(), 2u);
  EXPECT_NE(next_version(record, 1, 7).error().what.find("at version 1, not at 7"),
            std::string::npos);
}

TEST(Secrets, a_value_has_at_most_64_kib) {
  EXPECT_TRUE(next_version(with(0), max_value_size, std::nullopt));
  EXPECT_EQ(next_version(with(0), max_value_size + 1, std::nullopt).error().code, Code::invalid);
}

TEST(Secrets, the_oldest_versions_go) {
  auto const record = with(20);
  EXPECT_EQ(record.versions.size(), max_versions);
  EXPECT_EQ(get_version(record, std::nullopt)->version, 20u);
  EXPECT_EQ(get_version(record, 5)->sealed.data, "sealed 5");
  EXPECT_EQ(get_version(record, 4).error().code, Code::not_found);
  EXPECT_NE(get_version(record, 4).error().what.find("kept are 5 to 20"), std::string::npos);
  EXPECT_FALSE(get_version(record, 21));
  EXPECT_FALSE(get_version(record, 0));
}

TEST(Secrets, numbers_rise_after_a_removal) {
  auto record = with(3);
  EXPECT_TRUE(remove_versions(record));
  EXPECT_EQ(get_version(record, std::nullopt).error().code, Code::not_found);
  EXPECT_EQ(get_version(record, 3).error().code, Code::not_found);
  EXPECT_EQ(remove_versions(record).error().code, Code::not_found);
  EXPECT_EQ(next_version(record, 1, 0).value(), 4u);
  EXPECT_EQ(next_version(record, 1, 3).error().code, Code::conflict);
}

TEST(Secrets, the_last_number_is_the_end) {
  SecretRecord const full{"secret/x", 0xffffffffu, {version(0xffffffffu)}};
  EXPECT_EQ(next_version(full, 1, std::nullopt).error().code, Code::exhausted);
}

// Against a model that keeps everything: a map from number to value, emptied by removal.
RC_GTEST_PROP(Secrets, behave_as_the_model, ()) {
  SecretRecord record{"secret/x", 0, {}};
  std::map<std::uint32_t, std::string> model;
  std::uint32_t given = 0;
  auto const steps =
      *rc::gen::resize(60, rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 12)));
  for (int const step : steps) {
    if (step == 0) {
      RC_ASSERT(remove_versions(record).has_value() == !model.empty());
      model.clear();
    } else {
      auto const number = next_version(record, 1, std::nullopt).value();
      RC_ASSERT(number == ++given);
      add_version(record, version(number));
      model[number] = "sealed " + std::to_string(number);
      if (model.size() > 16) model.erase(model.begin());
    }
    RC_ASSERT(record.versions.size() == model.size());
    for (std::uint32_t n = 0; n <= given + 1; ++n) {
      auto const found = get_version(record, n);
      RC_ASSERT(found.has_value() == model.contains(n));
      if (found) RC_ASSERT(found->sealed.data == model[n]);
    }
  }
}

}  // namespace
}  // namespace lepton::vault
