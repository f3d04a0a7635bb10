// From what the Arduino_LSM9DS1 library returns to contract counts.
#pragma once

#include <cmath>
#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

inline int16_t saturate_to_counts(int32_t value) {
  if (value > INT16_MAX) return INT16_MAX;
  if (value < INT16_MIN) return INT16_MIN;
  return static_cast<int16_t>(value);
}

// `g` is what the library returns: the sensor's step times 4/32768. A count is 1/8192 g, which is that very step.
static_assert(kCountsPerUnit[0] == 8192 && kCountsPerUnit[3] == 2048, "the scales below are for these counts");
inline int16_t acceleration_counts(float g) {
  return saturate_to_counts(static_cast<int32_t>(lrintf(g * static_cast<float>(kCountsPerUnit[0]))));
}

// `degrees_per_second` is what the library returns: the sensor's step times 2000/32768 = 0.0610. The sensor's step at
// +-2000 dps is 0.070 dps (LSM9DS1 data sheet, table 3, G_So), so that the library is 12.8 % low. The step is exact in
// a float; from it 0.070 * pi / 180 * 2048 counts of 1/2048 rad/s, in 16 fractional bits.
inline int16_t angular_rate_counts(float degrees_per_second) {
  constexpr int64_t kCountsPerStep = 163978;  // 2.502104 * 65536
  const int64_t step = lrintf(degrees_per_second * (32768.0f / 2000.0f));
  return saturate_to_counts(static_cast<int32_t>((step * kCountsPerStep + 32768) >> 16));
}

}  // namespace hardwear
