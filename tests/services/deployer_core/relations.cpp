// Dependencies and arrays: the tables that decide.

#include "services/deployer/core/relations.hpp"

#include <gtest/gtest.h>

namespace lepton::deployer {
namespace {

TEST(Relations, WhatAnEndMeansToWhoWaitsForIt) {
  struct Row {
    AfterEnd wanted;
    JobState other;
    Met met;
  };
  Row const table[] = {
      {AfterEnd::ok, JobState::queued, Met::not_yet},
      {AfterEnd::ok, JobState::stopping, Met::not_yet},
      {AfterEnd::ok, JobState::succeeded, Met::met},
      {AfterEnd::ok, JobState::failed, Met::never},
      {AfterEnd::ok, JobState::cancelled, Met::never},
      {AfterEnd::ok, JobState::refused, Met::never},
      {AfterEnd::any, JobState::running, Met::not_yet},
      {AfterEnd::any, JobState::succeeded, Met::met},
      {AfterEnd::any, JobState::cancelled, Met::met},
      {AfterEnd::failed, JobState::succeeded, Met::never},
      {AfterEnd::failed, JobState::failed, Met::met},
      {AfterEnd::failed, JobState::cancelled, Met::met},
  };
  for (auto const& row : table)
    EXPECT_EQ(met(row.wanted, row.other), row.met)
        << schema::name_of(row.wanted) << " " << schema::name_of(row.other);
}

TEST(Relations, AnArrayIsAsItsJobsAre) {
  EXPECT_EQ(state_of({{JobState::queued, 5}, {JobState::running, 1}}), JobState::running);
  EXPECT_EQ(state_of({{JobState::queued, 5}, {JobState::failed, 1}}), JobState::queued);
  EXPECT_EQ(state_of({{JobState::succeeded, 5}, {JobState::failed, 1}}), JobState::failed);
  EXPECT_EQ(state_of({{JobState::succeeded, 5}, {JobState::cancelled, 1}}), JobState::cancelled);
  EXPECT_EQ(state_of({{JobState::succeeded, 5}}), JobState::succeeded);
  EXPECT_EQ(text_of({{JobState::queued, 5}, {JobState::running, 1}, {JobState::failed, 0}}),
            "5 queued, 1 running");
}

TEST(Relations, TheSpecOfAnArrayComesBackFromOneOfItsJobs) {
  JobSpec array;
  array.array = 12;
  array.env["X"] = "1";
  auto const third = member_spec(array, 3);
  EXPECT_EQ(third.env.at(array_index_variable), "3");
  EXPECT_EQ(third.env.at(array_size_variable), "12");
  EXPECT_EQ(array_spec(third), array);
  EXPECT_EQ(member_of_array({"a"}, 11).value, "a-11");
  EXPECT_FALSE(check_relations({"a"}, third)) << "the variables are the array's own";
}

}  // namespace
}  // namespace lepton::deployer
