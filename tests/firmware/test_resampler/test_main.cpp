#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <vector>

#include "../../vectors/resampler.h"
#include "core/resampler.h"

namespace hardwear {
namespace {

using Sample = std::array<int16_t, kChannelCount>;
// Value at a position in input samples.
using Signal = std::function<double(double position)>;

constexpr double kOne = 16777216.0;
constexpr uint32_t k119Hz = 39929774;
const double kPi = std::acos(-1.0);

Sample all_channels(double value) {
  Sample sample;
  sample.fill(static_cast<int16_t>(std::lround(value)));
  return sample;
}

// What comes out of `samples` samples of a signal, the same on all channels.
std::vector<int16_t> resample(const Signal& signal, uint32_t step, int samples) {
  Resampler resampler;
  resampler.set_step(step);
  std::vector<int16_t> out;
  for (int n = 0; n < samples; ++n) {
    resampler.push(all_channels(signal(n)).data());
    Sample even;
    while (resampler.pull(even.data())) {
      for (const int16_t value : even) REQUIRE(value == even[0]);
      out.push_back(even[0]);
    }
  }
  return out;
}

// Outputs whose kernel is complete once `samples` samples were pushed.
size_t due(uint32_t step, int samples) {
  const int64_t end = static_cast<int64_t>(samples - kResamplerTaps / 2) << 24;
  return end <= 0 ? 0 : static_cast<size_t>((end - 1) / step + 1);
}

TEST_CASE("the reference vectors come out as Python's") {
  Resampler resampler;
  size_t segment = 0;
  size_t row = 0;
  constexpr size_t kRows = sizeof vectors::kResampled / sizeof vectors::kResampled[0];
  constexpr size_t kSegments = sizeof vectors::kSteps / sizeof vectors::kSteps[0];
  for (int n = 0; n < static_cast<int>(sizeof vectors::kAtSensorRate / sizeof vectors::kAtSensorRate[0]); ++n) {
    if (segment < kSegments && vectors::kSteps[segment].sample == n) resampler.set_step(vectors::kSteps[segment++].step);
    resampler.push(vectors::kAtSensorRate[n]);
    int16_t out[kChannelCount];
    if (!resampler.pull(out)) continue;
    REQUIRE(row < kRows);
    for (int channel = 0; channel < kChannelCount; ++channel) CHECK(out[channel] == vectors::kResampled[row][channel]);
    ++row;
  }
  CHECK(row == kRows);
  CHECK(segment == kSegments);
}

TEST_CASE("a constant stays constant from the first output on, at every rate") {
  for (const uint32_t step : {kResamplerMinStep, 33554432u, 37933285u, k119Hz, 41926263u, kResamplerMaxStep}) {
    for (const double value : {-32768.0, -1.0, 0.0, 1.0, 8192.0, 32767.0}) {
      const auto out = resample([&](double) { return value; }, step, 300);
      CHECK(out.size() == due(step, 300));
      for (const int16_t each : out) REQUIRE(each == value);
    }
  }
}

TEST_CASE("the first output is the first moment and comes half a kernel later") {
  // Straight lines pass a symmetric kernel unchanged, but for the bend at the start, where the first sample stands.
  const auto out = resample([](double x) { return -30000 + 20 * x; }, k119Hz, 2000);
  CHECK(out.size() == due(k119Hz, 2000));
  for (size_t k = 12; k < out.size(); ++k) REQUIRE(std::abs(out[k] - (-30000 + 20 * k * (k119Hz / kOne))) < 0.6);
  CHECK(std::abs(out[0] - -30000) < 40);

  Resampler resampler;
  Sample even;
  for (int n = 0; n < kResamplerTaps / 2; ++n) {
    resampler.push(all_channels(7).data());
    CHECK_FALSE(resampler.pull(even.data()));
  }
  resampler.push(all_channels(7).data());
  CHECK(resampler.pull(even.data()));
  CHECK_FALSE(resampler.pull(even.data()));
}

TEST_CASE("motion below 15 Hz comes through, what would fold onto it does not") {
  for (const double rate : {95.0, 100.0, 113.05, 119.0, 124.95}) {
    const uint32_t step = static_cast<uint32_t>(std::lround(rate / kSampleRateHz * kOne));
    CAPTURE(rate);
    for (const double hertz : {0.5, 2.0, 5.0, 10.0, 15.0}) {
      const auto tone = [&](double x) { return 16000 * std::sin(2 * kPi * hertz / rate * x); };
      const auto out = resample(tone, step, 1000);
      double worst = 0;
      for (size_t k = 12; k < out.size(); ++k) worst = std::max(worst, std::abs(out[k] - tone(k * (step / kOne))));
      CHECK(worst < 16000 * 0.0012 + 1);  // 0.01 dB, and what is 60 dB down
    }
    for (double hertz = 35.0; hertz < rate / 2; hertz += 3) {
      const auto out = resample([&](double x) { return 32000 * std::cos(2 * kPi * hertz / rate * x); }, step, 1000);
      int worst = 0;
      for (size_t k = 12; k < out.size(); ++k) worst = std::max(worst, std::abs(out[k]));
      CHECK(worst <= 32);
    }
  }
}

TEST_CASE("full scale from sample to sample saturates and never wraps") {
  // Blocks overshoot by Gibbs' phenomenon: far beyond int16 on both sides.
  const auto blocks = [](double x) { return static_cast<int>(x) / 9 % 2 ? 32767.0 : -32768.0; };
  const auto out = resample(blocks, 33554432u + 12345u, 4000);
  CHECK(std::count(out.begin(), out.end(), 32767) > 100);
  CHECK(std::count(out.begin(), out.end(), -32768) > 100);
  for (size_t k = 12; k < out.size(); ++k) {
    const double x = k * ((33554432u + 12345u) / kOne);
    const int into = static_cast<int>(x) % 9;
    if (into >= 3 && into <= 4) REQUIRE((out[k] > 0) == (blocks(x) > 0));
  }
  // The input that reaches the bound of every sum: the kernel's own signs, in every phase.
  for (uint32_t phase = 0; phase < kResamplerPhases; ++phase) {
    for (const int sign : {1, -1}) {
      Resampler resampler;
      resampler.set_step(kResamplerMinStep);
      Sample even = all_channels(0);
      for (int tap = 0; tap < kResamplerTaps; ++tap) {
        const int weight = kResamplerKernel[phase][tap] * sign;
        resampler.push(all_channels(weight < 0 ? -32768 : 32767).data());
        resampler.pull(even.data());
      }
      CHECK(std::abs(even[0]) <= 32768);
    }
  }
}

TEST_CASE("in two hours not an output is lost and the last one lies where it should") {
  constexpr int kSamples = 2 * 3600 * 119;
  const uint32_t step = 41926263;  // 124.95 Hz
  const auto tone = [](double x) { return 12000 * std::sin(2 * kPi * std::fmod(x * 0.04, 1.0)); };
  Resampler resampler;
  resampler.set_step(step);
  uint64_t outputs = 0;
  for (int n = 0; n < kSamples; ++n) {
    resampler.push(all_channels(tone(n)).data());
    Sample even;
    if (!resampler.pull(even.data())) continue;
    const double position = static_cast<double>(outputs * step) / kOne;
    if (outputs > 12) REQUIRE(std::abs(even[0] - tone(position)) < 12);
    ++outputs;
  }
  CHECK(outputs == due(step, kSamples));
}

TEST_CASE("a change of the step moves no output that is due and none abruptly") {
  // On a straight line the output tells its own position.
  const auto line = [](double x) { return -30000 + 16 * x; };
  Resampler resampler;
  resampler.set_step(k119Hz);
  double position = 0;
  uint32_t steps[] = {k119Hz, 37933285, kResamplerMaxStep, kResamplerMinStep, 41926263};
  uint32_t current = k119Hz;
  int outputs = 0;
  for (int n = 0; n < 3000; ++n) {
    if (n > 0 && n % 31 == 0) {
      current = steps[n / 31 % 5];
      resampler.set_step(current);
      CHECK(resampler.step_q24() == current);
    }
    resampler.push(all_channels(line(n)).data());
    Sample even;
    if (!resampler.pull(even.data())) continue;
    if (outputs++ > 12) REQUIRE(std::abs(even[0] - line(position)) < 0.6);
    position += current / kOne;
  }
}

TEST_CASE("a step beyond what the kernel is made for is held to it") {
  Resampler resampler;
  CHECK(resampler.step_q24() == 33554432u);
  resampler.set_step(0);
  CHECK(resampler.step_q24() == kResamplerMinStep);
  resampler.set_step(UINT32_MAX);
  CHECK(resampler.step_q24() == kResamplerMaxStep);
}

TEST_CASE("an output that nobody pulls is lost, and the others stay in place") {
  const auto line = [](double x) { return 10 * x; };
  Resampler resampler;
  resampler.set_step(k119Hz);
  std::vector<int16_t> out;
  for (int n = 0; n < 3000; ++n) {
    resampler.push(all_channels(line(n)).data());
    Sample even;
    if (n >= 1000 && n < 2000) continue;
    if (resampler.pull(even.data())) out.push_back(even[0]);
  }
  CHECK(out.size() < due(k119Hz, 3000) - 400);
  for (size_t k = 1; k <= 400; ++k) {
    const double position = (due(k119Hz, 3000) - k) * (k119Hz / kOne);
    REQUIRE(std::abs(out[out.size() - k] - line(position)) < 0.6);
  }
}

TEST_CASE("reset forgets what came before, but not the step") {
  Resampler resampler;
  resampler.set_step(k119Hz);
  Sample even;
  for (int n = 0; n < 100; ++n) {
    resampler.push(all_channels(1000).data());
    resampler.pull(even.data());
  }
  resampler.reset();
  CHECK(resampler.step_q24() == k119Hz);
  CHECK_FALSE(resampler.pull(even.data()));
  int outputs = 0;
  for (int n = 0; n < 100; ++n) {
    resampler.push(all_channels(-7).data());
    if (!resampler.pull(even.data())) continue;
    CHECK(even[0] == -7);
    ++outputs;
  }
  CHECK(outputs == static_cast<int>(due(k119Hz, 100)));
}

}  // namespace
}  // namespace hardwear
