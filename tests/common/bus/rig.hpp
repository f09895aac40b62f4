#pragma once
// What the tests of the bus share: endpoints of their own, buses that record, a service in a child
// process, and a raw libzmq client that can misbehave.

#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/bus/bus.hpp"
#include "common/bus/client.hpp"
#include "common/codec/msgpack.hpp"
#include "common/crypto/entropy.hpp"

namespace lepton::bus::rig {

using Clock = std::chrono::steady_clock;

inline long milliseconds_since(Clock::time_point start) {
  return long(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count());
}

KeyPair keys();
std::string free_tcp();  // tcp://127.0.0.1:PORT that was free a moment ago

class Folder {
 public:
  Folder();
  ~Folder();
  std::string file(std::string const& name) const { return path_ + "/" + name; }
  std::string ipc(std::string const& name) const { return "ipc://" + file(name); }

 private:
  std::string path_;
};

class Recorder : public Sink {
 public:
  struct Request {
    actor::Door door;
    std::string key;
    actor::Route route;
    Header header;
    std::string body;
  };
  struct Answered {
    std::string peer;
    Header header;
    std::string body;
  };
  void on_request(actor::Door door, std::string key, actor::Route route, Header header,
                  std::string body) override;
  void on_answer(std::string const& peer, Header header, std::string body) override;
  void on_hint(std::string const& peer, Hint hint) override;

  Bus* echo = nullptr;  // answers each request with its own body
  std::vector<Request> requests;
  std::vector<Answered> answers;
  std::vector<Hint> hints;
};

// A bus with its recorder.
struct Node {
  std::unique_ptr<Bus> bus;
  Recorder seen;
  std::int64_t count(std::string const& name) const { return bus->counters().at(name); }
  void answer(Recorder::Request const& request, std::string const& body, Kind kind = Kind::reply);
};
std::unique_ptr<Node> open(BusSettings settings);  // fails the test if it cannot

BusSettings settings(std::string name, KeyPair keys);

// Polls the nodes in turn until the condition holds; false after limit_ms.
bool until(std::vector<Node*> const& nodes, std::function<bool()> const& holds,
           int limit_ms = 15'000);

std::string packed(std::string const& header, std::string const& body);  // as on the wire
Header request_header(std::string id, std::string topic = "test.echo");

// A DEALER that does what it is told; speaks CURVE if it gets keys.
class Raw {
 public:
  Raw(std::string const& endpoint, std::string const& server_key, KeyPair const* keys,
      std::string const& routing_id = {}, int receive_queue = 1000, int patience_ms = 5000);
  ~Raw();
  Raw(Raw const&) = delete;
  Raw& operator=(Raw const&) = delete;
  bool send(std::vector<std::string> const& frames);  // waits at most patience_ms for room
  std::vector<std::string> receive(int wait_ms);      // empty: nothing came

 private:
  void* context_;
  void* socket_;
};

// A line of the status of a process, such as "VmRSS:"; -1 if it has none.
long memory_kib(std::string const& process, std::string const& which);

// Sanitizers keep what is freed, and shadows of everything: bounds of growth mean nothing there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool memory_can_be_judged = false;
#else
inline constexpr bool memory_can_be_judged = true;
#endif

class Child {
 public:
  // Returns once it serves.
  explicit Child(std::vector<std::string> args, std::string program = BUS_CHILD);
  ~Child();  // kills it
  Child(Child const&) = delete;
  Child& operator=(Child const&) = delete;
  void signal(int number) const;
  void kill_now();  // and waits until it is gone
  long memory_kib(std::string const& which) const {
    return rig::memory_kib(std::to_string(pid_), which);
  }
  long peak_memory_kib() const { return memory_kib("VmHWM:"); }
  bool serves = false;

 private:
  pid_t pid_ = -1;
};

// A service in a child process, whose memory is its own, with one door for clients.
struct Served {
  Folder folder;
  KeyPair server = rig::keys(), keys = rig::keys();
  std::string endpoint = free_tcp();
  std::unique_ptr<Child> child;

  Served();
  bool answers();  // one who asks for the first time
};

}  // namespace lepton::bus::rig
