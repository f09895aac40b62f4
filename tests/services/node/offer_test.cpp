// What a node offers: its machine, and what the settings make of it.

#include "services/node/offer.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace lepton::node {
namespace {

MachineFacts machine() {
  MachineFacts facts;
  facts.cpu_milli = 8'000;
  facts.memory_mib = 16'384;
  facts.disk_mib = 100'000;
  facts.bandwidth_mbit = 25'000;
  facts.gpus = {{0, "GPU-0", "H200", 143'771}, {1, "GPU-1", "H200", 143'771}};
  return facts;
}

std::string why_not(NodeConfig const& config) {
  auto const offer = offer_of(config, machine());
  return offer ? "taken" : offer.error().what;
}

TEST(Offer, IsTheMachineWhereTheSettingsSayNothing) {
  NodeConfig config;
  config.port_first = 20'000;
  config.port_count = 10;
  auto const offer = offer_of(config, machine());
  ASSERT_TRUE(offer) << offer.error().what;
  NodeCapacity want{8'000, 16'384, 100'000, {}, 20'000, 10, 25'000};
  want.gpus = {{"GPU-0", "H200", 143'771}, {"GPU-1", "H200", 143'771}};
  EXPECT_EQ(*offer, want);
}

TEST(Offer, SettingsOutweighWhatTheMachineSaysOfItself) {
  NodeConfig config;
  config.bandwidth = "10Gbit";
  config.price_per_hour = 2.10;
  config.spot = true;
  config.gpu_islands = {3, 4};
  config.gpu_numa = {1, -1};
  auto const offer = offer_of(config, machine());
  ASSERT_TRUE(offer) << offer.error().what;
  EXPECT_EQ(offer->bandwidth_mbit, 10'000);
  EXPECT_EQ(offer->price_per_hour_micro, 2'100'000);
  EXPECT_TRUE(offer->spot);
  EXPECT_EQ(offer->gpus[0].island, 3u);
  EXPECT_EQ(offer->gpus[1].island, 4u);
  EXPECT_EQ(offer->gpus[0].numa, 1);
  EXPECT_EQ(offer->gpus[1].numa, -1);
  config.bandwidth = "0Mbit";
  EXPECT_EQ(offer_of(config, machine())->bandwidth_mbit, 0) << "none is offered";
}

TEST(Offer, AnInstanceIsOfferedAsWhatItIs) {
  auto facts = machine();
  facts.gpus[1] = {1, "MIG-1", "H200", 16'384, "1g.18gb"};
  auto const offer = offer_of({}, facts);
  ASSERT_TRUE(offer) << offer.error().what;
  EXPECT_EQ(offer->gpus[0].mig_profile, "");
  EXPECT_EQ(offer->gpus[1], (GpuDevice{"MIG-1", "H200", 16'384, 0, "1g.18gb"}));
  facts.gpus[1].numa = 1;
  EXPECT_EQ(offer_of({}, facts)->gpus[1].numa, 1) << "as the kernel says";
}

TEST(Offer, SettingsThatMeanNothingAreNamed) {
  NodeConfig config;
  config.bandwidth = "10GB";
  EXPECT_EQ(why_not(config).find("bandwidth: '10GB' is not a bandwidth"), 0u) << why_not(config);
  config.bandwidth = "";
  for (auto const price : {-0.01, 1e7, std::nan("")}) {
    config.price_per_hour = price;
    EXPECT_EQ(why_not(config), "price_per_hour: must be from 0 to a million");
  }
  config.price_per_hour = 0;
  config.gpu_islands = {0};
  EXPECT_EQ(why_not(config), "gpu_islands: names 1 GPUs, and the machine has 2");
  config.gpu_islands = {};
  config.gpu_numa = {0, 1, 0};
  EXPECT_EQ(why_not(config), "gpu_numa: names 3 GPUs, and the machine has 2");
  config.gpu_numa = {0, 1024};
  EXPECT_EQ(why_not(config), "gpu_numa: must be from 0 to 1023, or -1 where nobody knows");
}

}  // namespace
}  // namespace lepton::node
