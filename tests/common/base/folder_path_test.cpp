// Paths of folders that travel: what is refused, and that nothing that is taken leads out.

#include "common/base/folder_path.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>

namespace lepton {
namespace {

std::string repeated(std::string const& part, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += part;
  return all;
}

TEST(FolderPath, TakesOrdinaryNames) {
  for (auto const* path : {"a", "src/train.py", ".env", "a b/c", "..a", "a..", "...", "-x", "~",
                           "\xC3\xA4/\xE2\x82\xAC", "a\\b", "$HOME", "a:b", "*"})
    EXPECT_TRUE(check_folder_path(path)) << path;
  EXPECT_TRUE(check_folder_path(repeated("x/", 31) + "x"));
  EXPECT_TRUE(check_folder_path(std::string(255, 'x')));
}

TEST(FolderPath, RefusesWhatCouldLeaveOrMislead) {
  std::vector<std::string> const bad{"",
                                     "/",
                                     "/etc/passwd",
                                     "..",
                                     "../x",
                                     "a/../b",
                                     "a/..",
                                     ".",
                                     "./a",
                                     "a/./b",
                                     "a//b",
                                     "a/",
                                     "a\nb",
                                     "\x1b[2J",
                                     "a\x7f",
                                     "\xFF",
                                     "\xC0\xAF",
                                     "\xED\xA0\x80",
                                     std::string("a\0b", 3),
                                     std::string(256, 'x'),
                                     repeated("x/", 32) + "x",
                                     repeated("abcdefg/", 65)};
  for (auto const& path : bad)
    EXPECT_EQ(check_folder_path(path).error().code, Code::invalid) << path;
  EXPECT_EQ(check_folder_path("a\x1b[2J").error().what.find('\x1b'), std::string::npos)
      << "a terminal is not told what to do";
}

TEST(FolderLink, StaysInside) {
  for (auto const& [path, target] : std::vector<std::pair<std::string, std::string>>{
           {"a", "b"}, {"a/b", "../c"}, {"a/b", ".."}, {"a/b/c", "../../d/e"}, {"a/b", "c/d"}})
    EXPECT_TRUE(check_folder_link(path, target)) << path << " to " << target;
  for (auto const& [path, target] :
       std::vector<std::pair<std::string, std::string>>{{"a", ".."},
                                                        {"a", "../b"},
                                                        {"a/b", "../../c"},
                                                        {"a", "/etc/passwd"},
                                                        {"a", ""},
                                                        {"a", "b/../../c"},
                                                        {"a", "b/.."},  // b may be a link
                                                        {"a", "./b"},
                                                        {"a", "..//b"},
                                                        {"a/b", ".././../c"},
                                                        {"a", "b\nc"}})
    EXPECT_FALSE(check_folder_link(path, target)) << path << " to " << target;
}

// Lexically, which is what the kernel does while no folder on the way is a link.
RC_GTEST_PROP(FolderLink, WhatIsTakenNeverLeaves, ()) {
  auto const part = rc::gen::element<std::string>("a", "b", "..", ".", "", "c");
  auto const parts = rc::gen::container<std::vector<std::string>>(part);
  auto const join = [](std::vector<std::string> const& all) {
    std::string text;
    for (auto const& one : all) text += (text.empty() ? "" : "/") + one;
    return text;
  };
  auto const path = join(*parts), target = join(*parts);
  if (!check_folder_path(path) || !check_folder_link(path, target)) return;
  auto const led =
      (std::filesystem::path("/top") / path).parent_path() / std::filesystem::path(target);
  auto const plain = led.lexically_normal().string();
  RC_ASSERT(plain == "/top" || plain == "/top/" || plain.starts_with("/top/"));
}

}  // namespace
}  // namespace lepton
