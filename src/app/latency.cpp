#include "app/latency.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <cmath>

namespace vedette::app {
namespace {

constexpr double kLeast = 1e3;   // nanoseconds: the first step
constexpr double kGrowth = 1.1;  // 256 steps reach past an hour

std::size_t latency_step(Nanos duration) {
  double const steps =
      std::log(std::max(1.0, static_cast<double>(duration) / kLeast)) / std::log(kGrowth);
  return std::min<std::size_t>(255, static_cast<std::size_t>(steps));
}

}  // namespace

void LatencyHistogram::add(Nanos duration) {
  counts_[latency_step(duration)].fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t LatencyHistogram::count() const {
  std::uint64_t sum = 0;
  for (auto const& count : counts_) {
    sum += count.load(std::memory_order_relaxed);
  }
  return sum;
}

Nanos LatencyHistogram::quantile(double share) const {
  auto const wanted = static_cast<std::uint64_t>(static_cast<double>(count()) * share);
  std::uint64_t sum = 0;
  for (std::size_t step = 0; step < kSteps; ++step) {
    sum += counts_[step].load(std::memory_order_relaxed);
    if (sum > wanted) {
      return static_cast<Nanos>(kLeast * std::pow(kGrowth, static_cast<double>(step + 1)));
    }
  }
  return 0;
}

std::string LatencyHistogram::json() const {
  auto const milliseconds = [&](double share) {
    return std::round(static_cast<double>(quantile(share)) / 1e3) / 1e3;
  };
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("count").number(count());
  writer.key("p50_ms").number(milliseconds(0.5)).key("p99_ms").number(milliseconds(0.99));
  writer.end_object();
  return out;
}

}  // namespace vedette::app
