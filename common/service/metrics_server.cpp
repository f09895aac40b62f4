#include "common/service/metrics_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <httplib.h>

#include <mutex>
#include <thread>

#include "common/base/text.hpp"
#include "common/metrics/exposition.hpp"

namespace lepton::service {
namespace {

constexpr int requests_at_once = 2;
constexpr time_t patience_s = 2;

// Loopback, or a network that is not reached from outside: 10/8, 172.16/12, 192.168/16.
bool is_inside(std::string const& address) {
  in_addr place{};
  if (inet_pton(AF_INET, address.c_str(), &place) != 1) return false;
  auto const number = ntohl(place.s_addr);
  return number >> 24 == 127 || number >> 24 == 10 || number >> 20 == 0xac1 ||
         number >> 16 == 0xc0a8;
}

class HttplibServer final : public MetricsServer {
 public:
  HttplibServer() {
    server_.new_task_queue = [] { return new httplib::ThreadPool(requests_at_once); };
    server_.set_read_timeout(patience_s, 0);
    server_.set_write_timeout(patience_s, 0);
    server_.set_keep_alive_max_count(1);  // a scraper that holds on would keep others out
    server_.set_payload_max_length(1);
    // Two services must not share a port, as SO_REUSEPORT would let them.
    server_.set_socket_options([](socket_t socket) {
      int const on = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    server_.Get("/metrics", [this](httplib::Request const&, httplib::Response& response) {
      response.set_content(page(), std::string(metrics::content_type).c_str());
    });
  }
  ~HttplibServer() override {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  bool bind(std::string const& address, int port) {
    port_ = port == 0 ? server_.bind_to_any_port(address.c_str()) : port;
    if (port != 0 && !server_.bind_to_port(address.c_str(), port)) return false;
    if (port_ <= 0) return false;
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    // stop() is without effect before the thread has begun to listen.
    while (!server_.is_running()) std::this_thread::yield();
    return true;
  }
  void publish(std::string page) override {
    std::lock_guard const lock(mutex_);
    page_ = std::move(page);
  }
  int port() const override { return port_; }

 private:
  std::string page() {
    std::lock_guard const lock(mutex_);
    return page_;
  }

  httplib::Server server_;
  std::thread thread_;
  std::mutex mutex_;
  std::string page_;
  int port_ = 0;
};

}  // namespace

Result<std::unique_ptr<MetricsServer>> MetricsServer::open(std::string const& endpoint) {
  auto const parts = text::split(endpoint, ':');
  auto const port = parts.size() == 2 ? text::parse_int(parts[1]) : std::nullopt;
  if (!port || *port < 0 || *port > 65'535 || !is_inside(parts[0]))
    return Error{Code::invalid,
                 "metrics_endpoint: '" + endpoint +
                     "' must be 127.0.0.1:PORT, or a private address (RFC 1918) of this machine: "
                     "the page is open to whoever reaches it"};
  auto server = std::make_unique<HttplibServer>();
  if (!server->bind(parts[0], static_cast<int>(*port)))
    return Error{
        Code::conflict,
        fmt::format("cannot serve /metrics at {}: the port is in use by another program, or "
                    "the address is not of this machine; see with `ss -ltnp sport = :{}`",
                    endpoint, *port)};
  return std::unique_ptr<MetricsServer>(std::move(server));
}

}  // namespace lepton::service
