#pragma once
// Exporters that the monitor reads itself, as messages and rows: where they are, how often, and
// which of their samples are kept. Owned by the monitor. What is read is telemetry like that of the
// nodes: series `scraped` of "scrape/NAME", with minutes, hours and threshold rules. The rights are
// those of alerts: who says what is wrong says what is looked at.

#include <optional>
#include <string>
#include <vector>

#include "schemas/monitor.hpp"

namespace lepton {

struct ScrapeTarget {
  static constexpr std::string_view table = "scrape_target";
  std::string name;
  std::string url;
  std::vector<std::string> keep;
  std::int64_t every_ms = 15'000;
  std::int64_t timeout_ms = 5'000;

  bool operator==(ScrapeTarget const&) const = default;
  static consteval auto fields() {
    using schema::field;
    using T = ScrapeTarget;
    return schema::fields(
        field(1, "name", &T::name, "Name of the target, a DNS label.").key(),
        field(2, "url", &T::url, "Of its metrics: http://HOST:PORT/metrics."),
        field(3, "keep", &T::keep,
              "Names of the samples to keep; one that ends in '*' is a beginning. At most 64."),
        field(4, "every_ms", &T::every_ms, "It is read so often, ms.")
            .bounds(1'000, 600'000)
            .optional(),
        field(5, "timeout_ms", &T::timeout_ms, "It has so long to answer, ms.")
            .bounds(100, 30'000)
            .optional());
  }
};
static_assert(schema::complete<ScrapeTarget>());

struct ScrapeTargetsChanged {
  std::uint32_t targets = 0;

  static consteval auto fields() {
    return schema::fields(
        schema::field(1, "targets", &ScrapeTargetsChanged::targets, "How many there are now."));
  }
};
static_assert(schema::complete<ScrapeTargetsChanged>());

struct ScrapePut {
  static constexpr std::string_view topic = "monitor.scrape.put";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::write;
  using Reply = ScrapeTargetsChanged;
  ScrapeTarget target;

  std::string resource() const { return "alert/scrape/" + target.name; }
  static consteval auto fields() {
    return schema::fields(
        schema::field(1, "target", &ScrapePut::target, "The target; replaces one of its name."));
  }
};
static_assert(schema::complete<ScrapePut>());

struct ScrapeRemove {
  static constexpr std::string_view topic = "monitor.scrape.remove";
  static constexpr bool mutates = true;
  static constexpr Verb verb = Verb::remove;
  using Reply = ScrapeTargetsChanged;
  std::string name;

  std::string resource() const { return "alert/scrape/" + name; }
  static consteval auto fields() {
    return schema::fields(schema::field(1, "name", &ScrapeRemove::name, "Name of the target."));
  }
};
static_assert(schema::complete<ScrapeRemove>());

// A target, and how the last reading went.
struct ScrapeView {
  ScrapeTarget target;
  bool up = false;
  std::optional<WallMs> read_at_ms;
  std::uint32_t kept = 0;
  std::uint32_t left_out = 0;
  std::string trouble;
  std::vector<Measure> values;

  static consteval auto fields() {
    using schema::field;
    using T = ScrapeView;
    return schema::fields(
        field(1, "target", &T::target, "As it was put."),
        field(2, "up", &T::up, "It answered when it was last asked."),
        field(3, "read_at_ms", &T::read_at_ms,
              "When it last answered, ms since 1970; nothing since the monitor started."),
        field(4, "kept", &T::kept, "Samples of the last answer that were kept."),
        field(5, "left_out", &T::left_out, "Samples that were wanted and found no room."),
        field(6, "trouble", &T::trouble, "Why it is not up."),
        field(7, "values", &T::values, "Newest of each sample; with the question for one target."));
  }
};
static_assert(schema::complete<ScrapeView>());

struct ScrapePage {
  std::vector<ScrapeView> targets;

  static consteval auto fields() {
    return schema::fields(schema::field(1, "targets", &ScrapePage::targets, "By name."));
  }
};
static_assert(schema::complete<ScrapePage>());

struct ScrapeList {
  static constexpr std::string_view topic = "monitor.scrape.list";
  static constexpr Verb verb = Verb::list;
  using Reply = ScrapePage;
  std::string name;

  std::string resource() const { return "alert"; }
  static consteval auto fields() {
    return schema::fields(schema::field(1, "name", &ScrapeList::name,
                                        "Only this one, with its values; empty: all, without.")
                              .optional());
  }
};
static_assert(schema::complete<ScrapeList>());

}  // namespace lepton
