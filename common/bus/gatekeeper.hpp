#pragma once
// Gatekeeper: decides which CURVE keys may connect to the servers of a context (ZAP, ZeroMQ RFC
// 27). Domain "peer" admits the keys of a list, domain "client" every CURVE key; all else is
// refused. The key becomes the User-Id of each message. Owns a thread and its socket; created and
// destroyed by the owner of the context.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "common/bus/sockets.hpp"

namespace lepton::bus {

class Gatekeeper {
 public:
  static Result<std::unique_ptr<Gatekeeper>> start(Context& context,
                                                   std::set<std::string> peer_keys);
  ~Gatekeeper();  // from then on the servers refuse everybody

  // From now on these are the list; who is connected already stays so. The owner's thread.
  void list(std::set<std::string> peer_keys);

  std::int64_t admitted() const { return admitted_; }
  std::int64_t refused() const { return refused_; }

 private:
  struct Answer {
    char const* code;
    char const* text;
    std::string user_id;
  };
  Gatekeeper(Socket socket, int stop, std::set<std::string> peer_keys);
  void serve();
  Answer decide() const;
  bool is_listed(std::string const& key) const;
  void answer(Answer const& answer);

  Socket socket_;
  int stop_;                  // eventfd
  mutable std::mutex mutex_;  // guards the list
  std::set<std::string> peer_keys_;
  std::array<std::string, 7> request_;  // version, id, domain, address, identity, mechanism, key
  std::atomic<std::int64_t> admitted_ = 0, refused_ = 0;
  std::thread thread_;
};

}  // namespace lepton::bus
