#pragma once
// Webhook: the port through which alerts leave. CurlWebhook posts JSON to a URL. Blocks: worker
// thread only, one call at a time.

#include <string>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"

namespace lepton::monitor {

class Webhook {
 public:
  virtual ~Webhook() = default;
  // Ok: the receiver took it (2xx). The error says why not, and never the URL, which may hold a
  // secret.
  virtual Status post(std::string const& json) = 0;
};

// http and https only, no redirects, 5 s in all; of the answer only its status counts.
class CurlWebhook final : public Webhook {
 public:
  explicit CurlWebhook(Secret<std::string> url) : url_(std::move(url)) {}
  Status post(std::string const& json) override;

 private:
  Secret<std::string> url_;
};

// invalid: neither http:// nor https://, or with a space or control character in it.
Status check_webhook_url(std::string_view url);

}  // namespace lepton::monitor
