#pragma once
// MetricsServer: GET /metrics over HTTP, for a Prometheus of this machine or of its private network
// (containers): loopback and private addresses only. It has
// a thread of its own, knows one page of text and nothing else; the service's thread replaces that
// page. HTTP itself is cpp-httplib's, included in metrics_server.cpp only. Limits: no request body,
// short lines (the library's), two requests at a time, 2 s each.
// Errors: invalid (neither loopback nor private), conflict (the port is in use).

#include <memory>
#include <string>

#include "common/base/result.hpp"

namespace lepton::service {

class MetricsServer {
 public:
  // "127.0.0.1:7115"; port 0 takes a free one.
  static Result<std::unique_ptr<MetricsServer>> open(std::string const& endpoint);
  virtual ~MetricsServer() = default;

  virtual void publish(std::string page) = 0;  // any thread
  virtual int port() const = 0;
};

}  // namespace lepton::service
