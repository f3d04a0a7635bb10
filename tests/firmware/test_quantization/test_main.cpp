#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cmath>

#include "core/quantization.h"

namespace hardwear {
namespace {

TEST_CASE("every count of every channel quantises to floor((count * multiplier + offset) / 2^shift), clamped") {
  for (int32_t count = INT16_MIN; count <= INT16_MAX; ++count) {
    int16_t counts[kChannelCount];
    for (int16_t& value : counts) value = static_cast<int16_t>(count);
    int8_t out[kChannelCount];
    quantize(counts, out);
    for (size_t c = 0; c < kChannelCount; ++c) {
      // long double has 64 bits of mantissa on the host: exact for these sums, and no shift in sight.
      const long double sum = static_cast<long double>(count) * kInputMultiplier[c] + kInputOffset[c];
      const long double steps = std::floor(sum / std::pow(2.0L, kInputShift));
      const long double expected = std::fmin(std::fmax(steps, -128.0L), 127.0L);
      REQUIRE(static_cast<long double>(out[c]) == expected);
    }
  }
}

TEST_CASE("a channel's result does not depend on the others") {
  const int16_t counts[kChannelCount] = {-32768, 32767, 0, 1, -1, 1000};
  int8_t together[kChannelCount];
  quantize(counts, together);
  for (size_t c = 0; c < kChannelCount; ++c) {
    int16_t alone[kChannelCount] = {};
    alone[c] = counts[c];
    int8_t out[kChannelCount];
    quantize(alone, out);
    CHECK(out[c] == together[c]);
  }
}

}  // namespace
}  // namespace hardwear
