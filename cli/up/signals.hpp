#pragma once
// Signals of a supervisor: blocked in the whole process and taken one by one, so that a loop can
// wait for "a child ended" and "stop" at once and no handler runs between two statements. Make it
// before any other thread. One thread; times in ms.

#include "common/base/time.hpp"

namespace lepton::cli {

class Signals {
 public:
  Signals();

  // Until a child ends or a stop is asked for, at most limit_ms. True: stop (SIGTERM, SIGINT,
  // SIGHUP), and from then on always at once.
  bool wait(TimeMs limit_ms);

 private:
  bool stop_ = false;
};

}  // namespace lepton::cli
