#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <vector>

#include "core/conditioning.h"

namespace hardwear {
namespace {

using Sample = std::array<int16_t, kChannelCount>;
using Signal = std::vector<Sample>;

Sample all_channels(int16_t value) {
  Sample sample;
  sample.fill(value);
  return sample;
}

Signal make(size_t count, const std::function<int16_t(size_t)>& value) {
  Signal signal;
  for (size_t n = 0; n < count; ++n) signal.push_back(all_channels(value(n)));
  return signal;
}

Signal condition(const Signal& raw) {
  Conditioner conditioner;
  Signal out;
  Sample due;
  for (const Sample& sample : raw) {
    if (conditioner.push(sample.data(), due.data())) out.push_back(due);
  }
  if (conditioner.flush(due.data())) out.push_back(due);
  return out;
}

// The specification as it is written, in arithmetic too wide to overflow.
__extension__ typedef __int128 Wide;

std::vector<Wide> run_section(const Biquad& s, const std::vector<Wide>& x) {
  const Wide one = Wide{1} << kCoefficientFractionBits;
  std::vector<Wide> y;
  Wide remainder = one / 2;
  for (size_t n = 0; n < x.size(); ++n) {
    const auto past = [n](const std::vector<Wide>& v, size_t lag) { return n < lag ? Wide{0} : v[n - lag]; };
    const Wide sum = remainder + s.b0 * x[n] + s.b1 * past(x, 1) + s.b2 * past(x, 2) + s.minus_a1 * past(y, 1) +
                     s.minus_a2 * past(y, 2);
    remainder = ((sum % one) + one) % one;
    y.push_back((sum - remainder) / one);
  }
  return y;
}

Signal condition_wide(const Signal& raw) {
  Signal out(raw.size());
  const Wide count = Wide{1} << kStateFractionBits;
  for (int c = 0; c < kChannelCount; ++c) {
    std::vector<Wide> signal;
    for (size_t n = 0; n < raw.size(); ++n) {
      std::array<int16_t, 3> near = {n == 0 ? int16_t{0} : raw[n - 1][c], raw[n][c],
                                     n + 1 == raw.size() ? int16_t{0} : raw[n + 1][c]};
      std::sort(near.begin(), near.end());
      signal.push_back(near[1] * count);
    }
    for (const Biquad& section : kLowPass) signal = run_section(section, signal);
    if (c >= 3) {
      std::vector<Wide> offset = signal;
      for (const Biquad& section : kOffset) offset = run_section(section, offset);
      for (size_t n = 0; n < signal.size(); ++n) signal[n] -= offset[n];
    }
    for (size_t n = 0; n < signal.size(); ++n) {
      const Wide rounded = (signal[n] + count / 2) >> kStateFractionBits;
      out[n][c] = static_cast<int16_t>(rounded > INT16_MAX ? INT16_MAX : rounded < INT16_MIN ? INT16_MIN : rounded);
    }
  }
  return out;
}

int16_t full_scale(bool high) { return high ? INT16_MAX : INT16_MIN; }

TEST_CASE("an output comes one sample after its input, and the last on flush") {
  Conditioner conditioner;
  Sample out = all_channels(77);
  CHECK_FALSE(conditioner.push(all_channels(1000).data(), out.data()));
  CHECK(out == all_channels(77));
  CHECK(conditioner.push(all_channels(1000).data(), out.data()));
  CHECK(conditioner.flush(out.data()));
  CHECK_FALSE(conditioner.flush(out.data()));
}

TEST_CASE("silence stays silence") { CHECK(condition(make(500, [](size_t) { return 0; })) == Signal(500, Sample{})); }

TEST_CASE("a constant acceleration passes to the last bit, a constant turn vanishes") {
  for (int16_t level : {int16_t{1}, int16_t{-1}, int16_t{8192}, int16_t{32767}, int16_t{-32768}}) {
    const Signal out = condition(make(6000, [level](size_t) { return level; }));
    for (int c = 0; c < kChannelCount; ++c) CHECK(out[5000][c] == (c < 3 ? level : 0));
  }
}

TEST_CASE("a single outlier is gone without a trace") {
  Signal raw = make(200, [](size_t) { return 0; });
  raw[100] = all_channels(INT16_MAX);
  CHECK(condition(raw) == Signal(200, Sample{}));
}

TEST_CASE("overshoot saturates instead of wrapping") {
  const Signal out = condition(make(400, [](size_t n) { return full_scale(n < 200); }));
  CHECK(out[30][0] > 30000);
  int at_limit = 0;
  for (size_t n = 0; n < 200; ++n) {
    if (n > 5) CHECK(out[n][0] > 0);
    at_limit += out[n][0] == INT16_MAX;
  }
  CHECK(at_limit > 0);
}

TEST_CASE("no input makes it differ from arithmetic that can't overflow") {
  std::vector<Signal> signals;
  for (size_t period : {1, 2, 3, 4, 5, 6, 7, 50, 250, 500, 1000}) {
    signals.push_back(make(3000, [period](size_t n) { return full_scale(n / period % 2 == 0); }));
  }
  // Square waves of non-integer half periods around the resonance of the sharpest section.
  for (double hertz : {17.0, 18.5, 19.5, 20.0, 20.5}) {
    signals.push_back(make(3000, [hertz](size_t n) { return full_scale(std::sin(2 * M_PI * hertz * n / 50) >= 0); }));
  }
  uint32_t seed = 1;
  signals.push_back(make(20000, [&seed](size_t) {
    seed = seed * 1664525u + 1013904223u;
    return static_cast<int16_t>(seed >> 16);
  }));
  signals.push_back(make(20000, [&seed](size_t) {
    seed = seed * 1664525u + 1013904223u;
    return full_scale((seed >> 31) != 0);
  }));
  for (const Signal& raw : signals) CHECK(condition(raw) == condition_wide(raw));
}

TEST_CASE("flush and reset both begin a new recording") {
  const Signal raw = make(300, [](size_t n) { return static_cast<int16_t>(9000 - 60 * n); });
  const Signal first = condition(raw);
  Conditioner conditioner;
  Sample due;
  for (int round = 0; round < 3; ++round) {
    Signal out;
    for (const Sample& sample : raw) {
      if (conditioner.push(sample.data(), due.data())) out.push_back(due);
    }
    if (round == 1) {
      conditioner.reset();
      out.push_back(first.back());
    } else if (conditioner.flush(due.data())) {
      out.push_back(due);
    }
    CHECK(out == first);
  }
}

TEST_CASE("channels do not touch each other") {
  Signal raw = make(400, [](size_t n) { return static_cast<int16_t>(n * 37 % 4001); });
  const Signal alone = condition(raw);
  for (Sample& sample : raw) sample[1] = full_scale(sample[1] % 2 == 0);
  const Signal beside = condition(raw);
  for (size_t n = 0; n < raw.size(); ++n) {
    for (int c = 0; c < kChannelCount; ++c) {
      if (c != 1) CHECK(beside[n][c] == alone[n][c]);
    }
  }
}

TEST_CASE("input and output may share a buffer") {
  const Signal raw = make(300, [](size_t n) { return static_cast<int16_t>(n * n); });
  Conditioner conditioner;
  Signal out;
  for (Sample sample : raw) {
    if (conditioner.push(sample.data(), sample.data())) out.push_back(sample);
  }
  Signal expected = condition(raw);
  expected.pop_back();
  CHECK(out == expected);
}

}  // namespace
}  // namespace hardwear
