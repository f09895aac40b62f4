// Blocking work leaves the service's thread and its result comes back to it.

#include <gtest/gtest.h>

#include <condition_variable>

#include "common/service/thread_worker.hpp"

namespace lepton::service::testing {
namespace {

// What wakes a service's loop; here it wakes the test.
struct Bell {
  std::mutex mutex;
  std::condition_variable rung;
  int rings = 0;
  void ring() {
    std::lock_guard const lock(mutex);
    ++rings;
    rung.notify_all();
  }
  void wait(int times) {
    std::unique_lock lock(mutex);
    rung.wait(lock, [&] { return rings >= times; });
  }
};

TEST(ThreadWorker, RunsElsewhereAndEndsHere) {
  Bell bell;
  Inbox inbox([&] { bell.ring(); });
  ThreadWorker worker(2, inbox);
  std::thread::id ran, ended;
  worker.run([&] { ran = std::this_thread::get_id(); },
             [&] { ended = std::this_thread::get_id(); });
  bell.wait(1);
  EXPECT_TRUE(inbox.drain());
  EXPECT_NE(ran, std::this_thread::get_id());
  EXPECT_EQ(ended, std::this_thread::get_id());
  EXPECT_FALSE(inbox.drain()) << "once only";
}

TEST(ThreadWorker, ASlowJobDoesNotHoldUpTheOthers) {
  Bell bell, door;
  Inbox inbox([&] { bell.ring(); });
  ThreadWorker worker(2, inbox);
  int ended = 0;
  worker.run([&] { door.wait(1); }, [&] { ++ended; });
  worker.run([] {}, [&] { ++ended; });
  bell.wait(1);
  inbox.drain();
  EXPECT_EQ(ended, 1) << "the first waits at its door";
  door.ring();
  bell.wait(2);
  inbox.drain();
  EXPECT_EQ(ended, 2);
}

TEST(ThreadWorker, ItsEndWaitsForTheJobAtHand) {
  Bell begun, door;
  Inbox inbox;
  std::thread opener;
  {
    ThreadWorker worker(1, inbox);
    worker.run(
        [&] {
          begun.ring();
          door.wait(1);
        },
        [] {});
    begun.wait(1);
    opener = std::thread([&] { door.ring(); });
  }
  opener.join();
  EXPECT_TRUE(inbox.drain());
}

}  // namespace
}  // namespace lepton::service::testing
