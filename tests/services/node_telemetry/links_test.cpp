#include "services/node/telemetry/links.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace lepton::node {
namespace {

class LinksTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(sys_ / "class/net"); }
  void TearDown() override { std::filesystem::remove_all(sys_); }
  void link(std::string const& name, std::string const& speed, bool device) {
    auto const folder = sys_ / "class/net" / name;
    std::filesystem::create_directories(device ? folder / "device" : folder);
    std::ofstream(folder / "speed") << speed << "\n";
  }
  std::filesystem::path const sys_ =
      std::filesystem::temp_directory_path() / ("lepton_links." + std::to_string(::getpid()));
};

TEST_F(LinksTest, PhysicalInterfacesWithALinkAreAddedUp) {
  link("eth0", "25000", true);
  link("eth1", "10000", true);
  link("down", "-1", true);
  link("mute", "", true);
  link("bond0", "35000", false);
  link("lo", "", false);
  EXPECT_EQ(bandwidth_of_links_mbit(sys_), 35'000);
}

TEST_F(LinksTest, AKernelThatSaysNothingOffersNothing) {
  EXPECT_EQ(bandwidth_of_links_mbit(sys_), 0);
  EXPECT_EQ(bandwidth_of_links_mbit("/no-such-sys"), 0);
  link("odd", "99999999999", true);
  EXPECT_EQ(bandwidth_of_links_mbit(sys_), 1'000'000'000) << "never beyond what may be declared";
}

}  // namespace
}  // namespace lepton::node
