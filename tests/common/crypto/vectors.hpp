#pragma once
// Published test vectors, read from the folder that LEPTON_DATA names. Tests skip when it is
// absent.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "common/base/text.hpp"

namespace lepton::crypto_test {

inline std::string bytes(std::string const& digits) {
  return text::unhex(digits).value();
}

template <class Octets>
std::string hex(Octets const& octets) {
  return text::hex({reinterpret_cast<char const*>(octets.data()), octets.size()});
}

inline std::optional<nlohmann::json> vectors(std::string const& name) {
  auto const* const root = std::getenv("LEPTON_DATA");
  if (root == nullptr) return std::nullopt;
  std::ifstream file(std::string(root) + "/vectors/" + name);
  if (!file) return std::nullopt;
  return nlohmann::json::parse(file);
}

// Calls check(group, test) for each test and returns how many there were.
template <class F>
std::size_t each_test(nlohmann::json const& all, F&& check) {
  std::size_t count = 0;
  for (auto const& group : all.at("testGroups"))
    for (auto const& test : group.at("tests")) {
      SCOPED_TRACE("tcId " + test.at("tcId").dump() + " " + test.at("comment").get<std::string>());
      check(group, test);
      ++count;
    }
  return count;
}

}  // namespace lepton::crypto_test

#define LEPTON_VECTORS_OR_SKIP(variable, name)                \
  auto const variable = ::lepton::crypto_test::vectors(name); \
  if (!variable) GTEST_SKIP() << "set LEPTON_DATA to the data folder to check vectors/" << name
