#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cstring>

#include "engines/compiled/compiled_classifier.h"
#include "engines/compiled/kernels.h"

namespace hardwear {
namespace {

using namespace kernels;

constexpr Clamp kInt8 = {-128, 127};
constexpr Multiplier kOne = {1 << 30, 1};       // 2^30 * 2^(1 - 31)
constexpr Multiplier kHalf = {1 << 30, 0};
constexpr Multiplier kQuarter = {1 << 30, -1};

TEST_CASE("halves round up in the high multiplication and away from zero in the shift") {
  CHECK(multiply(7, kOne) == 7);
  CHECK(multiply(3, kHalf) == 2);
  CHECK(multiply(-3, kHalf) == -1);
  CHECK(multiply(-1, kHalf) == 0);
  CHECK(rounding_divide_by_power_of_two(6, 2) == 2);
  CHECK(rounding_divide_by_power_of_two(5, 2) == 1);
  CHECK(rounding_divide_by_power_of_two(-6, 2) == -2);
  CHECK(rounding_divide_by_power_of_two(-5, 2) == -1);
  CHECK(rounding_divide_by_power_of_two(INT32_MIN, 31) == -1);
  CHECK(rounding_divide_by_power_of_two(INT32_MAX, 31) == 1);
}

TEST_CASE("a product is rounded twice, as TFLite-Micro does") {
  // 5 / 4 = 1.25 rounds to 1; but 5 / 2 rounds to 3 first, and 3 / 2 away from zero to 2.
  CHECK(multiply(5, kQuarter) == 2);
}

TEST_CASE("outside the input a convolution reads its zero point, on both sides") {
  // Three taps of 1, 10 and 100 over the values 1, 2, 3, 4 above a zero point of 5.
  const int8_t weights[] = {1, 10, 100};
  const int32_t bias[] = {-5 * 111};
  const Multiplier multipliers[] = {kOne};
  const int8_t input[] = {6, 7, 8, 9};
  Conv1D layer = {4, 4, 1, 1, 3, 1, 1, 5, 0, kInt8, weights, bias, multipliers};
  int8_t output[4];
  conv1d(layer, input, output);
  // 0+10+200, 1+20+300, 2+30+400, 3+40+0: all but the last saturate.
  CHECK(output[0] == 127);
  CHECK(output[2] == 127);
  CHECK(output[3] == 43);

  const Multiplier quarters[] = {kQuarter};
  layer.multipliers = quarters;
  layer.output_zero_point = -100;
  conv1d(layer, input, output);
  CHECK(output[0] == -100 + 53);  // 210 / 4 = 52.5: 105, then away from zero
  CHECK(output[1] == -100 + 81);  // 321 / 4 = 80.25: 161 after the first rounding, then 80.5
  CHECK(output[2] == -100 + 108);
  CHECK(output[3] == -100 + 11);  // 43 / 4 = 10.75
}

TEST_CASE("a convolution steps by its stride and mixes all channels") {
  // Two channels in, two out, one tap, stride 2, no padding.
  const int8_t weights[] = {1, 2, -3, 4};
  const int32_t bias[] = {10, 20};
  const Multiplier multipliers[] = {kOne, kOne};
  const Conv1D layer = {5, 3, 2, 2, 1, 2, 0, 0, 0, kInt8, weights, bias, multipliers};
  const int8_t input[] = {1, 2, 99, 99, 3, 4, 99, 99, 5, 6};
  int8_t output[6];
  conv1d(layer, input, output);
  const int8_t expected[] = {15, 25, 21, 27, 27, 29};
  CHECK(std::memcmp(output, expected, sizeof expected) == 0);
}

TEST_CASE("a kernel longer than its input reads zero points on both sides at once") {
  const int8_t weights[] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  const int32_t bias[] = {-7 * 9};
  const Multiplier multipliers[] = {kOne};
  const Conv1D layer = {2, 2, 1, 1, 9, 1, 4, 7, 0, kInt8, weights, bias, multipliers};
  const int8_t input[] = {10, 27};
  int8_t output[2];
  conv1d(layer, input, output);
  CHECK(output[0] == 23);
  CHECK(output[1] == 23);
}

TEST_CASE("a dense layer adds its bias, and ReLU cuts at the zero point") {
  const int8_t weights[] = {1, 2, 3, 4, 5, -1, -2, -3, -4, -5};
  const int32_t bias[] = {1, 2};
  const FullyConnected layer = {5, 2, -20, {-20, 127}, kOne, weights, bias};
  const int8_t input[] = {1, 1, 1, 1, 2};
  int8_t output[2];
  fully_connected(layer, input, output);
  CHECK(output[0] == -20 + 21);
  CHECK(output[1] == -20);
}

TEST_CASE("pools take each channel by itself, and the mean rounds halves away from zero") {
  const int8_t input[] = {-1, 1, -2, 2, -128, 127, 127, 0};
  int8_t output[4];
  max_pool({2, 2, 2, 2, kInt8}, input, output);
  const int8_t largest[] = {-1, 2, 127, 127};
  CHECK(std::memcmp(output, largest, sizeof largest) == 0);
  average_pool({2, 2, 2, 2, kInt8}, input, output);
  const int8_t means[] = {-2, 2, -1, 64};
  CHECK(std::memcmp(output, means, sizeof means) == 0);
  average_pool({2, 2, 2, 2, {0, 63}}, input, output);
  const int8_t clamped[] = {0, 2, 0, 63};
  CHECK(std::memcmp(output, clamped, sizeof clamped) == 0);
}

TEST_CASE("pools overlap where the stride is shorter than the width") {
  const int8_t input[] = {1, 5, 2, 4, 3};
  int8_t output[3];
  max_pool({3, 1, 3, 1, kInt8}, input, output);
  CHECK(output[0] == 5);
  CHECK(output[1] == 5);
  CHECK(output[2] == 4);
}

TEST_CASE("a mean over all positions is rescaled") {
  const int8_t input[] = {10, 0, 20, 0, 30, 0, 41, -128};
  const Mean layer = {4, 2, 0, 3, kQuarter};
  int8_t output[2];
  mean(layer, input, output);
  CHECK(output[0] == 3 + 26);  // 101 / 4: 50.5 rounds to 51, 25.5 to 26
  CHECK(output[1] == 3 - 32);
}

TEST_CASE("a table maps every int8, also in place") {
  int8_t table[256];
  int8_t values[256];
  for (int i = 0; i < 256; ++i) {
    table[i] = static_cast<int8_t>(127 - i);
    values[i] = static_cast<int8_t>(i - 128);
  }
  map_values(table, values, values, 256);
  CHECK(std::memcmp(values, table, sizeof table) == 0);
}

TEST_CASE("the engine answers the same whatever it answered before") {
  CompiledClassifier engine;
  REQUIRE(engine.begin());
  CHECK(engine.arena_bytes() > 0);
  CHECK(std::strcmp(engine.name(), "compiled") == 0);
  int8_t window[kWindowSamples * kChannelCount];
  for (int i = 0; i < kWindowSamples * kChannelCount; ++i) window[i] = static_cast<int8_t>(i * 37);
  Inference first, again;
  REQUIRE(engine.classify(window, &first));
  int8_t other[sizeof window];
  std::memset(other, 127, sizeof other);
  REQUIRE(engine.classify(other, &again));
  CHECK(std::memcmp(&first, &again, sizeof first) != 0);
  REQUIRE(engine.classify(window, &again));
  CHECK(std::memcmp(&first, &again, sizeof first) == 0);
}

TEST_CASE("a window of a stream is answered as by itself, whatever comes between") {
  CompiledClassifier engine;
  constexpr int32_t kHop = kHopSamples * kChannelCount, kWindow = kWindowSamples * kChannelCount, kWindows = 12;
  static int8_t samples[2][kWindows * kHop + kWindow];
  uint32_t state = 1;
  for (auto& recording : samples) {
    for (int8_t& sample : recording) {
      state = state * 1664525u + 1013904223u;
      sample = static_cast<int8_t>(static_cast<int32_t>(state >> 24) - 128);
    }
  }
  const uint32_t streams[2] = {engine.begin_stream(), engine.begin_stream()};
  REQUIRE(streams[0] != streams[1]);
  int32_t position[2] = {0, 0};
  // One stream, both in turns, the second one, the first one again.
  const int32_t turns[] = {0, 0, 0, 0, 1, 0, 1, 0, 1, 1, 1, 0, 0, 0};
  for (const int32_t turn : turns) {
    const int8_t* const window = samples[turn] + kHop * position[turn];
    Inference streamed, alone;
    CAPTURE(position[turn]);
    REQUIRE(engine.classify_next(streams[turn], window, &streamed));
    REQUIRE(engine.classify(window, &alone));
    ++position[turn];
    CHECK(std::memcmp(&streamed, &alone, sizeof streamed) == 0);
  }
}

}  // namespace
}  // namespace hardwear
