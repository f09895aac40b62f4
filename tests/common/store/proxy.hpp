#pragma once
// A proxy between the store and PostgreSQL's unix socket that breaks one connection at a chosen
// word: before the server hears it, or before the client does. One thread; ends with the object.

#include <atomic>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace lepton::store {

class Proxy {
 public:
  enum class Cut { none, request, answer };

  Proxy(std::filesystem::path const& folder, std::filesystem::path server);
  ~Proxy();

  // The next chunk in this direction that holds the word ends its connection and is not passed on.
  void arm(Cut cut, std::string word);
  bool has_cut() const { return has_cut_; }

 private:
  struct Pair {
    int client, server;
  };
  void run();
  void accept_one();
  bool pass(int from, int to, Cut direction);
  bool is_cut(std::string_view chunk, Cut direction);

  std::filesystem::path server_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  std::vector<Pair> pairs_;
  std::mutex mutex_;
  Cut cut_ = Cut::none;
  std::string word_;
  std::atomic<bool> has_cut_ = false;
  std::thread thread_;
};

}  // namespace lepton::store
