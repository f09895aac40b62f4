#pragma once
// Errand: one call that may wait for a long time, run beside the thread that sends it; that thread
// looks now and then whether it is back. One at a time. Its end is waited for by the destructor,
// so the call needs a limit of its own.

#include <chrono>
#include <functional>
#include <future>
#include <optional>

#include "common/base/check.hpp"

namespace lepton::cli {

template <class T>
class Errand {
 public:
  bool runs() const { return future_.valid(); }
  void send(std::function<T()> call) {
    LEPTON_CHECK(!runs(), "an errand was sent while another is out");
    future_ = std::async(std::launch::async, std::move(call));
  }
  // Once, when it is back.
  std::optional<T> result() {
    if (!runs() || future_.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
      return std::nullopt;
    return future_.get();
  }

 private:
  std::future<T> future_;
};

}  // namespace lepton::cli
