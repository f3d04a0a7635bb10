#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <functional>
#include <vector>

#include "core/resampler.h"

namespace hardwear {
namespace {

using Sample = std::array<int16_t, kChannelCount>;
using Signal = std::function<double(double seconds)>;

Sample all_channels(double value) {
  Sample sample;
  sample.fill(static_cast<int16_t>(std::lround(value)));
  return sample;
}

// Samples `signal` at `rate_hz` for `seconds` from clock time `start_us` on, and gives what comes out.
std::vector<int16_t> resample(const Signal& signal, double rate_hz, double seconds, uint32_t start_us = 0) {
  Resampler resampler;
  std::vector<int16_t> out;
  for (int n = 0; n <= static_cast<int>(seconds * rate_hz); ++n) {
    const double time = n / rate_hz;
    CHECK(resampler.push(start_us + static_cast<uint32_t>(std::llround(time * 1e6)), all_channels(signal(time)).data()));
    Sample even;
    while (resampler.pull(even.data())) {
      for (const int16_t value : even) REQUIRE(value == even[0]);
      out.push_back(even[0]);
    }
  }
  return out;
}

TEST_CASE("samples that come at the contract's rate pass unchanged") {
  const auto out = resample([](double t) { return std::fmod(t * 12345, 1000); }, kSampleRateHz, 10);
  REQUIRE(out.size() == 501);
  for (size_t n = 0; n < out.size(); ++n) CHECK(out[n] == std::lround(std::fmod(n / 50.0 * 12345, 1000)));
}

TEST_CASE("fifty samples a second come out, however far off the sensor's clock is") {
  for (const double rate : {119 * 0.95, 119.0, 119 * 1.05, 238.0, 59.5, 51.0}) {
    const auto out = resample([](double) { return 100.0; }, rate, 60);
    CHECK(std::abs(static_cast<int>(out.size()) - 3001) <= 1);
  }
}

TEST_CASE("a constant stays constant, and a ramp stays the same ramp") {
  for (const int16_t value : resample([](double) { return -32768.0; }, 119, 5)) CHECK(value == -32768);
  const auto ramp = resample([](double t) { return -30000 + 1000 * t; }, 119, 60);
  for (size_t n = 0; n < ramp.size(); ++n) CHECK(std::abs(ramp[n] - (-30000 + 20.0 * n)) <= 1.0);
}

TEST_CASE("a step over the whole range neither overflows nor overshoots") {
  const auto out = resample([](double t) { return static_cast<int>(t * 119 + 0.5) % 2 ? 32767.0 : -32768.0; }, 119, 5);
  CHECK(out.size() > 240);
  int differing = 0;
  for (size_t n = 1; n < out.size(); ++n) differing += out[n] != out[n - 1];
  CHECK(differing > 100);
}

TEST_CASE("halves round up, also below zero") {
  const struct {
    int16_t from, to, middle;
  } cases[] = {{0, 1, 1}, {-1, 0, 0}, {0, -1, 0}, {-2, -1, -1}, {-32768, 32767, 0}, {32767, -32768, 0}, {3, 3, 3}};
  for (const auto& c : cases) {
    Resampler resampler;
    Sample out;
    resampler.push(0, all_channels(c.from).data());
    resampler.push(2 * Resampler::kPeriodUs, all_channels(c.to).data());
    REQUIRE(resampler.pull(out.data()));
    CHECK(out[0] == c.from);
    REQUIRE(resampler.pull(out.data()));
    CHECK(out[0] == c.middle);
    REQUIRE(resampler.pull(out.data()));
    CHECK(out[0] == c.to);
    CHECK_FALSE(resampler.pull(out.data()));
  }
}

TEST_CASE("motion below five hertz comes through within one per cent") {
  const double pi = std::acos(-1);
  for (const double hertz : {0.5, 2.0, 5.0}) {
    const auto out = resample([&](double t) { return 16000 * std::sin(2 * pi * hertz * t); }, 119, 20);
    double worst = 0;
    for (size_t n = 0; n < out.size(); ++n) {
      worst = std::max(worst, std::abs(out[n] - 16000 * std::sin(2 * pi * hertz * n / 50.0)));
    }
    CHECK(worst < 16000 * (1 - std::cos(pi * hertz / 119)) + 2);
  }
}

TEST_CASE("the clock may wrap") {
  const auto wrapped = resample([](double t) { return 1000 * t; }, 119, 10, 0u - 5000000u);
  CHECK(wrapped == resample([](double t) { return 1000 * t; }, 119, 10));
}

TEST_CASE("a gap, a repeated instant and a clock set back are told and begin a new run") {
  for (const uint32_t second : {1000000u + Resampler::kMaxGapUs + 1, 1000000u, 900000u}) {
    Resampler resampler;
    Sample out;
    CHECK(resampler.push(1000000, all_channels(1).data()));
    CHECK_FALSE(resampler.push(second, all_channels(2).data()));
    CHECK_FALSE(resampler.pull(out.data()));
    CHECK(resampler.push(second + 8000, all_channels(2).data()));
    REQUIRE(resampler.pull(out.data()));
    CHECK(out[0] == 2);
  }
  Resampler resampler;
  CHECK(resampler.push(0, all_channels(1).data()));
  CHECK(resampler.push(Resampler::kMaxGapUs, all_channels(2).data()));
}

TEST_CASE("reset forgets what came before") {
  Resampler resampler;
  Sample out;
  resampler.push(0, all_channels(1).data());
  resampler.push(100000, all_channels(2).data());
  resampler.reset();
  CHECK_FALSE(resampler.pull(out.data()));
  CHECK(resampler.push(50, all_channels(7).data()));
  CHECK(resampler.push(8050, all_channels(7).data()));
  REQUIRE(resampler.pull(out.data()));
  CHECK(out[0] == 7);
}

}  // namespace
}  // namespace hardwear
