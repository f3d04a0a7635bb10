#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "engines/compiled/kernels.h"
#include "engines/compiled/toom_cook.h"

namespace hardwear {
namespace {

using namespace kernels;

// Of hardwear/codegen/minimal_filtering.py: what weights are multiplied with, the inverse of 3 and of 45, and what raises
// the last two inputs.
template <int32_t taps>
struct Filter;

template <>
struct Filter<3> {
  static constexpr uint32_t kInverse = 2863311531u;
  static constexpr int32_t kRaised = 2048;
  static int32_t weight(int32_t point, int32_t tap) {
    static const int32_t kWeights[6][3] = {{6, 0, 0}, {-4, -4, -4}, {-4, 4, -4}, {1, 2, 4}, {1, -2, 4}, {0, 0, 24}};
    return kWeights[point][tap];
  }
};

template <>
struct Filter<5> {
  static constexpr uint32_t kInverse = 2767867813u;
  static constexpr int32_t kRaised = 2176;
  static int32_t weight(int32_t point, int32_t tap) {
    static const int32_t kWeights[8][5] = {{-90, 0, 0, 0, 0},  {-20, -20, -20, -20, -20}, {-20, 20, -20, 20, -20},
                                           {1, 2, 4, 8, 16},   {1, -2, 4, -8, 16},        {16, 8, 4, 2, 1},
                                           {16, -8, 4, -2, 1}, {0, 0, 0, 0, 90}};
    return kWeights[point][tap];
  }
};

class Random {
 public:
  // Extremes, and whatever lies between.
  int8_t next() {
    state_ = state_ * 1664525u + 1013904223u;
    const int32_t value = static_cast<int32_t>(state_ >> 24) - 128;
    return static_cast<int8_t>((state_ >> 16 & 3) != 0 ? value : (value & 1) != 0 ? 127 : -128);
  }

 private:
  uint32_t state_ = 7;
};

// A convolution of `pairs` pairs of channels in planes of two or of four, one channel short of full, to three channels,
// in both ways.
template <int32_t taps, int32_t pairs, int32_t unroll, int32_t positions, int32_t pool, bool table, bool away,
          int32_t lanes = 2>
struct Both {
  static constexpr int32_t kInputs = 2 * pairs - 1, kOutputs = 3, kPooled = positions / pool;
  static constexpr int32_t kPad = taps / 2, kRoom = (positions + 7) / 8 * 8, kPoints = points_of(taps);
  static constexpr int8_t kZeroPoint = away ? -30 : -128;
  using In = Planes<kInputs, positions, kPad, kRoom + taps - 1, -5, lanes>;
  using Out = Planes<kOutputs, kPooled, 1, kRoom / pool + 2, kZeroPoint, lanes>;

  explicit Both(Random* random) : weights(kOutputs * taps * kInputs), rows(positions * kInputs) {
    for (int8_t& value : weights) value = random->next();
    for (int8_t& value : rows) value = random->next();
    for (int32_t i = 0; i < 256; ++i) mapped[i] = static_cast<uint8_t>(i / 3);
  }

  int32_t weight(int32_t output, int32_t tap, int32_t input) const {
    return output < kOutputs && input < kInputs ? weights[(output * taps + tap) * kInputs + input] : 0;
  }

  // Which channel is the low or high half of a pair: of four bytes, 0 and 2 meet, then 1 and 3.
  static int32_t channel_of(int32_t pair, int32_t half) {
    return lanes == 2 ? 2 * pair + half : pair / 2 * 4 + pair % 2 + 2 * half;
  }

  // As the plain kernels have it, in rows.
  std::vector<int8_t> plain() const {
    int32_t bias[kOutputs];
    Multiplier multipliers[kOutputs];
    for (int32_t i = 0; i < kOutputs; ++i) {
      bias[i] = kBias[i] + 5 * sum_of(&weights[i * taps * kInputs], taps * kInputs);
      multipliers[i] = {kMantissa[i], static_cast<int8_t>(-kShift[i])};
    }
    const Conv1D layer = {positions, positions, kInputs, kOutputs, taps, 1, kPad, -5, kZeroPoint, {-128, 127},
                          weights.data(), bias, multipliers};
    std::vector<int8_t> convolved(positions * kOutputs), pooled(kPooled * kOutputs);
    conv1d(layer, rows.data(), convolved.data());
    max_pool({kPooled, kOutputs, pool, pool, {-128, 127}}, convolved.data(), pooled.data());
    for (int8_t& value : pooled) value = table ? static_cast<int8_t>(mapped[value + 128] - 128) : value;
    return pooled;
  }

  // By points, into the planes `output`.
  void tiled(int8_t* output, Blocks blocks) const {
    std::vector<int16_t> transformed;
    std::vector<TileChannel> channels;
    for (int32_t pair = 0; pair < 2; ++pair) {
      for (int32_t point = 0; point < kPoints; ++point) {
        for (int32_t input_pair = 0; input_pair < pairs; ++input_pair) {
          for (int32_t i = 0; i < 4; ++i) {
            int32_t sum = 0;
            for (int32_t tap = 0; tap < taps; ++tap) {
              sum += Filter<taps>::weight(point, tap) * weight(2 * pair + i / 2, tap, channel_of(input_pair, i % 2));
            }
            REQUIRE(sum == static_cast<int16_t>(sum));
            transformed.push_back(static_cast<int16_t>(sum));
          }
        }
      }
      for (int32_t output_channel = 2 * pair; output_channel < 2 * pair + 2; ++output_channel) {
        const int32_t i = output_channel < kOutputs ? output_channel : 0;
        int32_t first = kBias[i], third = 0, last = 0;
        for (int32_t input = 0; input < kInputs; ++input) {
          for (int32_t tap = 0; tap < taps; ++tap) first -= (128 - 5) * weight(i, tap, input);
          if (input % lanes >= lanes / 2) continue;
          third += weight(i, taps - 1, input);
          last += weight(i, taps - 2, input) + weight(i, taps - 1, input);
        }
        channels.push_back({Filter<taps>::kInverse, 8 * first, 8 * (first - Filter<taps>::kRaised * third),
                            8 * (first - Filter<taps>::kRaised * last), mapped, kMantissa[i],
                            4 * ((1 << kShift[i] >> 1) + ((kZeroPoint + 128) << kShift[i])) + 2, kShift[i] + 2});
      }
    }
    constexpr int32_t kSpan = kPoints * pairs * kStrip * 4;
    const TileConvolution layer = {transform_tile<taps, unroll, Filter<taps>::kRaised, lanes>,
                                   multiply_strip<kPoints, unroll, unroll != pairs, kStrip>,
                                   multiply_strip<kPoints, unroll, unroll != pairs, kCouple>,
                                   finish_channel<kPoints, pool, table, away, lanes>,
                                   transformed.data(),
                                   channels.data(),
                                   kSpan,
                                   4 * In::kStride,
                                   4 * Out::kStride,
                                   pairs / unroll,
                                   2,
                                   kPoints,
                                   unroll,
                                   kRoom / 4,
                                   16 / pool};
    std::vector<int8_t> packed(4 * In::kPlanes * In::kStride);
    pack_planes<In>(rows.data(), packed.data());
    alignas(16) static int8_t scratch[kSpan + kPoints * 8 * 4];
    convolve_tiles<Out>(layer, scratch, packed.data(), output, blocks);
  }

  static constexpr int32_t kOutputBytes = 4 * Out::kPlanes * Out::kStride;
  static const int32_t kBias[3], kMantissa[3], kShift[3];
  std::vector<int8_t> weights, rows;
  uint8_t mapped[256];
};

template <int32_t taps, int32_t pairs, int32_t unroll, int32_t positions, int32_t pool, bool table, bool away, int32_t lanes>
const int32_t Both<taps, pairs, unroll, positions, pool, table, away, lanes>::kBias[3] = {-9000, 0, 12345};
template <int32_t taps, int32_t pairs, int32_t unroll, int32_t positions, int32_t pool, bool table, bool away, int32_t lanes>
const int32_t Both<taps, pairs, unroll, positions, pool, table, away, lanes>::kMantissa[3] = {1337373737, 2147483647, 1 << 30};
template <int32_t taps, int32_t pairs, int32_t unroll, int32_t positions, int32_t pool, bool table, bool away, int32_t lanes>
const int32_t Both<taps, pairs, unroll, positions, pool, table, away, lanes>::kShift[3] = {9, 10, 7};

template <typename Case>
void check_all_positions() {
  Random random;
  for (int32_t repetition = 0; repetition < 10; ++repetition) {
    const Case both(&random);
    std::vector<int8_t> output(Case::kOutputBytes);
    both.tiled(output.data(), kAllBlocks);
    const auto expected = both.plain();
    for (int32_t i = 0; i < Case::kPooled * Case::kOutputs; ++i) {
      CAPTURE(i);
      REQUIRE(Case::Out::value(output.data(), i / Case::kOutputs, i % Case::kOutputs) == expected[i]);
    }
  }
}

TEST_CASE("products at points give what products of taps give, whatever the numbers") {
  check_all_positions<Both<3, 1, 1, 16, 1, false, false>>();
  check_all_positions<Both<3, 3, 3, 32, 2, true, true>>();
  check_all_positions<Both<3, 4, 2, 24, 4, false, true>>();
  check_all_positions<Both<5, 2, 2, 16, 1, false, true>>();
  check_all_positions<Both<5, 3, 1, 48, 2, false, false>>();
  check_all_positions<Both<5, 6, 3, 32, 4, true, false>>();
}

TEST_CASE("planes of four bytes give the same, in one round of pairs or several") {
  check_all_positions<Both<3, 2, 2, 16, 1, false, false, 4>>();
  check_all_positions<Both<3, 6, 2, 13, 1, true, true, 4>>();
  check_all_positions<Both<5, 4, 4, 32, 2, false, true, 4>>();
  check_all_positions<Both<5, 8, 4, 24, 4, true, false, 4>>();
}

TEST_CASE("positions that fill no strip, no couple and no tile are computed, too") {
  check_all_positions<Both<3, 2, 2, 8, 1, true, true>>();
  check_all_positions<Both<3, 2, 2, 13, 1, false, false>>();
  check_all_positions<Both<5, 2, 1, 30, 2, false, true>>();
  check_all_positions<Both<5, 2, 2, 3, 1, false, false>>();
}

// What a convolution of 48 positions, pooled by 2, leaves between the blocks that it computes.
template <typename Case>
void check_blocks() {
  Random random;
  const Case both(&random);
  const auto expected = both.plain();
  for (const Blocks& blocks : {Blocks{1, 3}, Blocks{0, 6}, Blocks{2, 8}, Blocks{3, 9}, Blocks{1, 11}}) {
    std::vector<int8_t> output(Case::kOutputBytes, 77);
    both.tiled(output.data(), blocks);
    for (int32_t position = 0; position < Case::kPooled; ++position) {
      const int32_t block = position * 2 / 4;
      const bool computed = block < blocks.left || block >= blocks.right;
      // A last tile on the left that is alone in its couple may spoil the next one, which is taken over afterwards.
      if (!computed && block == blocks.left && blocks.left % 2 != 0) continue;
      for (int32_t channel = 0; channel < Case::kOutputs; ++channel) {
        CAPTURE(blocks.left);
        CAPTURE(position);
        const int32_t found = Case::Out::value(output.data(), position, channel);
        REQUIRE(found == (computed ? expected[position * Case::kOutputs + channel] : 77 - 128));
      }
    }
  }
}

TEST_CASE("what lies between the first blocks and the last stays as it is") {
  check_blocks<Both<5, 2, 2, 48, 2, false, true>>();
  check_blocks<Both<5, 2, 2, 48, 2, false, true, 4>>();
}

TEST_CASE("transformed words keep both channels apart, and the low one is never negative") {
  Random random;
  for (int32_t repetition = 0; repetition < 1000; ++repetition) {
    int8_t words[8 * 4] = {};
    int32_t lanes[2][8];
    for (int32_t i = 0; i < 8; ++i) {
      for (int32_t lane = 0; lane < 2; ++lane) {
        const uint8_t value = static_cast<uint8_t>(random.next() + 128);
        lanes[lane][i] = value;
        words[4 * i + 2 * lane] = static_cast<int8_t>(value);
      }
    }
    uint32_t v[8 * kStrip];
    transform_tile<5, 1, Filter<5>::kRaised, 2>(words, v, 0);
    lanes[0][6] += Filter<5>::kRaised;
    lanes[0][7] += Filter<5>::kRaised;
    // 4 x^6 - 21 x^4 + 21 x^2 - 4, and the same times x.
    for (int32_t lane = 0; lane < 2; ++lane) {
      const int32_t* const d = lanes[lane];
      const auto half = [&](int32_t point) {
        return lane == 0 ? dsp::low_half(v[point * kStrip]) : dsp::high_half(v[point * kStrip]);
      };
      CHECK(half(0) == 4 * d[6] - 21 * d[4] + 21 * d[2] - 4 * d[0]);
      CHECK(half(7) == 4 * d[7] - 21 * d[5] + 21 * d[3] - 4 * d[1]);
      for (int32_t point = 0; point < 8 && lane == 0; ++point) CHECK(half(point) >= 0);
    }
  }
}

}  // namespace
}  // namespace hardwear
