#pragma once
// Scraper: the port through which the monitor reads exporters. CurlScraper asks by HTTP. Blocks, at
// most as long as it is told: worker thread only, several calls at a time.

#include <cstdint>
#include <string>

#include "common/base/result.hpp"

namespace lepton::monitor {

class Scraper {
 public:
  virtual ~Scraper() = default;
  // The page. Errors: unavailable (no answer, another status than 200), timeout, exhausted (longer
  // than page_max).
  virtual Result<std::string> get(std::string const& url, std::int64_t limit_ms) = 0;
  static constexpr std::size_t page_max = 4 << 20;
};

// http only, no redirects, no proxy of the environment.
class CurlScraper final : public Scraper {
 public:
  Result<std::string> get(std::string const& url, std::int64_t limit_ms) override;
};

}  // namespace lepton::monitor
