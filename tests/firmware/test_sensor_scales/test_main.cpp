#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "../../vectors/sensors.h"
#include "sensors/axes.h"
#include "sensors/decode.h"

namespace hardwear {
namespace {

TEST_CASE("every range's multiplier is Python's, and no range is missing") {
  CHECK(sizeof kScales / sizeof kScales[0] == sizeof vectors::kRanges / sizeof vectors::kRanges[0]);
  for (const vectors::RangeRow& row : vectors::kRanges) {
    CAPTURE(row.full_scale);
    CHECK(scale_multiplier(row.part, row.quantity, row.full_scale) == row.multiplier);
  }
  CHECK(scale_multiplier(Part::kLsm9ds1, Quantity::kRate, 1000) == 0);
}

template <size_t kRows>
void decode_all(const vectors::DecodedRow (&rows)[kRows], const Decoding& decoding) {
  for (const vectors::DecodedRow& row : rows) {
    uint8_t bytes[12];
    for (int i = 0; i < 6; ++i) store_u16(bytes + 2 * i, static_cast<uint16_t>(row.steps[i]));
    int16_t out[kChannelCount];
    decode_sample(decoding, bytes, bytes + 6, out);
    CAPTURE(row.steps[0]);
    CHECK(std::memcmp(out, row.counts, sizeof out) == 0);
  }
}

TEST_CASE("every sample decodes to Python's") {
  decode_all(vectors::kLsm9ds1Decoded, {scale_multiplier(Part::kLsm9ds1, Quantity::kAcceleration, kAccelerationRangeG),
                                        scale_multiplier(Part::kLsm9ds1, Quantity::kRate, kLsm9ds1RateRangeDps),
                                        kNano33BleSenseRev1});
  decode_all(vectors::kBmi270Decoded, {scale_multiplier(Part::kBmi270, Quantity::kAcceleration, kAccelerationRangeG),
                                       scale_multiplier(Part::kBmi270, Quantity::kRate, kBmi270RateRangeDps),
                                       kNano33BleSenseRev2});
}

TEST_CASE("a step is within half a count, and a thousandth, of what the data sheet says, in every range") {
  for (const Scale& scale : kScales) {
    CAPTURE(scale.full_scale);
    const double counts_per_degree = std::acos(-1.0) / 180.0 * 2048.0;
    const double counts_per_unit = scale.quantity == Quantity::kAcceleration ? 8192.0 : counts_per_degree;
    const int32_t multiplier = scale_multiplier(scale.part, scale.quantity, scale.full_scale);
    for (int32_t step = INT16_MIN; step <= 32768; ++step) {
      const double exact = step * scale.units_per_step * counts_per_unit;
      const int16_t counts = to_counts(step, multiplier);
      if (exact >= INT16_MAX) {
        REQUIRE(counts == INT16_MAX);
      } else if (exact <= INT16_MIN) {
        REQUIRE(counts == INT16_MIN);
      } else {
        REQUIRE(std::abs(counts - exact) < 0.501);
      }
    }
  }
}

TEST_CASE("halves are rounded up, on either side of zero") {
  constexpr int32_t kHalf = 1 << (kScaleFractionBits - 1);
  CHECK(to_counts(1, kHalf) == 1);
  CHECK(to_counts(-1, kHalf) == 0);
  CHECK(to_counts(3, kHalf) == 2);
  CHECK(to_counts(-3, kHalf) == -1);
}

TEST_CASE("the ranges in use hold all that the contract can, but the last 2 mg that the LSM9DS1's own range lacks") {
  struct Use {
    Part part;
    uint16_t rate;
    int16_t acceleration_limit;
  };
  constexpr Use kUses[] = {{Part::kLsm9ds1, kLsm9ds1RateRangeDps, 32748},
                           {Part::kBmi270, kBmi270RateRangeDps, INT16_MAX}};
  for (const Use& use : kUses) {
    CHECK(to_counts(INT16_MAX, scale_multiplier(use.part, Quantity::kAcceleration, kAccelerationRangeG)) ==
          use.acceleration_limit);
    CHECK(to_counts(INT16_MAX, scale_multiplier(use.part, Quantity::kRate, use.rate)) == INT16_MAX);
    CHECK(to_counts(INT16_MIN, scale_multiplier(use.part, Quantity::kRate, use.rate)) == INT16_MIN);
  }
}

TEST_CASE("the Rev1's axes are a mirror image, as its sensor is left-handed; the Rev2's are a rotation") {
  const auto determinant = [](const AxisMap& map) {
    int m[3][3] = {};
    for (int i = 0; i < 3; ++i) m[i][map.source[i]] = map.sign[i];
    return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
           m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
  };
  CHECK(determinant(kNano33BleSenseRev1) == -1);
  CHECK(determinant(kNano33BleSenseRev2) == 1);
}

}  // namespace
}  // namespace hardwear
