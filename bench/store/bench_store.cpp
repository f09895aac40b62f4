// bench_store [--quick]: durable appends and upserts of the store beside plain COPY, alternating in
// one run, one transaction a batch, one in flight. Medians over the rounds. The last line is JSON.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "bench/database/database.hpp"
#include "bench/store/rounds.hpp"
#include "bench/store/tables.hpp"

namespace lepton::bench {
namespace {

constexpr std::array<std::size_t, 4> sizes{1, 10, 100, 1000};

struct Rates {
  std::vector<double> store, copy, upsert;  // rows per second, one entry a round
};

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  auto const n = v.size();
  return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

// Median over the rounds of the ratio within a round: slow minutes of the disk hit both sides.
double ratio(std::vector<double> const& a, std::vector<double> const& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < a.size(); ++i) ratios.push_back(a[i] / b[i]);
  return median(std::move(ratios));
}

Status round(StoreSide& ours_side, CopySide& copy_side, Work work, bool store_first, Rates& rates) {
  if (auto good = copy_side.empty_both(); !good) return good;
  for (bool store_turn : {store_first, !store_first}) {
    auto const rate = store_turn ? ours_side.appends(work) : copy_side.appends(work);
    if (!rate) return rate.error();
    (store_turn ? rates.store : rates.copy).push_back(*rate);
  }
  auto const upserts = ours_side.upserts(work);
  if (!upserts) return upserts.error();
  rates.upsert.push_back(*upserts);
  return ok();
}

void print(std::array<Rates, sizes.size()> const& all) {
  fmt::print("{:>10} {:>14} {:>14} {:>8} {:>14} {:>8}\n", "rows/batch", "store rows/s",
             "COPY rows/s", "ratio", "upsert rows/s", "ratio");
  std::string store, copy, upsert;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    auto const& r = all[i];
    fmt::print("{:>10} {:>14.0f} {:>14.0f} {:>8.2f} {:>14.0f} {:>8.2f}\n", sizes[i],
               median(r.store), median(r.copy), ratio(r.store, r.copy), median(r.upsert),
               ratio(r.upsert, r.copy));
    auto const add = [&](std::string& out, std::vector<double> const& v) {
      out += fmt::format("{}\"{}\": {:.0f}", out.empty() ? "" : ", ", sizes[i], median(v));
    };
    add(store, r.store), add(copy, r.copy), add(upsert, r.upsert);
  }
  auto const& hundred = all[2];
  fmt::print(
      "{{\"rows_per_s\": {{{}}}, \"copy_rows_per_s\": {{{}}}, \"ratio_100\": {:.3f}, "
      "\"upsert_rows_per_s\": {{{}}}, \"upsert_ratio_100\": {:.3f}}}\n",
      store, copy, ratio(hundred.store, hundred.copy), upsert, ratio(hundred.upsert, hundred.copy));
}

Status run(bool quick) {
  auto database = Database::start();
  if (!database) return database.error();
  auto const url = (*database)->url();
  if (auto good = create_tables(url); !good) return good;
  auto store_side = StoreSide::open(url);
  if (!store_side) return store_side.error();
  auto copy_side = CopySide::open(url);
  if (!copy_side) return copy_side.error();
  std::array<Rates, sizes.size()> all;
  Rates warm_up;
  if (auto good = round(**store_side, **copy_side, {100, 20}, true, warm_up); !good) return good;
  int const rounds = quick ? 5 : 9;
  for (int n = 0; n < rounds; ++n) {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      std::size_t const rows = std::min<std::size_t>(sizes[i] * 400, quick ? 8'000 : 20'000);
      Work const work{sizes[i], std::max<std::size_t>(rows / sizes[i], 8)};
      if (auto good = round(**store_side, **copy_side, work, n % 2 == 0, all[i]); !good)
        return good;
    }
  }
  print(all);
  return ok();
}

}  // namespace
}  // namespace lepton::bench

int main(int argc, char** argv) {
  bool quick = false;
  for (int i = 1; i < argc; ++i) quick = quick || std::string_view(argv[i]) == "--quick";
  auto const good = lepton::bench::run(quick);
  if (good) return 0;
  fmt::print(stderr, "bench_store: {}\n", good.error().what);
  return 1;
}
