#pragma once
// Meter: the port through which a node measures itself and its attempts. MachineMeter reads the
// machine. Calls may block: worker thread only, one at a time.

#include <string>
#include <vector>

#include "schemas/monitor.hpp"
#include "services/node/telemetry/machine.hpp"
#include "services/node/telemetry/task_meter.hpp"

namespace lepton::node {

struct Measured {
  std::vector<Measure> values;
  std::string detail;  // what could not be measured, and why; "" when all could
};

class Meter {
 public:
  virtual ~Meter() = default;
  virtual Measured measure() = 0;
};

class MachineMeter final : public Meter {
 public:
  MachineMeter(MachineOptions options, TaskMeter tasks);
  Measured measure() override;

 private:
  Machine machine_;
  TaskMeter tasks_;
  std::function<TimeMs()> now_;
};

// As the monitor knows them; absent values are left out.
std::vector<Measure> measures_of(Sample const& sample, std::vector<TaskSample> const& tasks);

}  // namespace lepton::node
