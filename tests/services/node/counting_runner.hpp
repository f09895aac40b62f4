#pragma once
// A fake runner that counts what is asked of it.

#include "services/node/runner/fake_runner.hpp"

namespace lepton::node::testing {

class CountingRunner final : public Runner {
 public:
  explicit CountingRunner(Clock const& clock) : fake(clock) {}

  Status start(RunSpec const& spec, Secrets const& secrets) override {
    starts.push_back(spec);
    secrets_given.push_back(secrets);
    return fake.start(spec, secrets);
  }
  Status renew_lease(std::string_view attempt, std::int64_t deadline) override {
    ++renewals;
    return fake.renew_lease(attempt, deadline);
  }
  Status resize(std::string_view attempt, RunLimits const& limits) override {
    ++resizes;
    if (resize_trouble) return *resize_trouble;
    return fake.resize(attempt, limits);
  }
  Result<RunLimits> limits(std::string_view attempt) override { return fake.limits(attempt); }
  Status request_stop(std::string_view attempt, std::string_view why) override {
    return fake.request_stop(attempt, why);
  }
  Result<RunStatus> poll(std::string_view attempt) override {
    ++polls;
    return fake.poll(attempt);
  }
  std::vector<RunStatus> scan() override { return fake.scan(); }
  Result<LogPart> read_log(std::string_view attempt, std::int64_t offset,
                           std::size_t max) override {
    return fake.read_log(attempt, offset, max);
  }
  Status remove(std::string_view attempt) override { return fake.remove(attempt); }

  FakeRunner fake;
  std::optional<Error> resize_trouble;
  std::vector<RunSpec> starts;
  std::vector<Secrets> secrets_given;
  int renewals = 0, polls = 0, resizes = 0;
};

}  // namespace lepton::node::testing
