// What one step of a motion sensor's output is, and the ranges that the drivers choose.
#pragma once

#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

enum class Part : uint8_t { kLsm9ds1, kBmi270 };
enum class Quantity : uint8_t { kAcceleration, kRate };

struct Scale {
  Part part;
  Quantity quantity;
  uint16_t full_scale;    // +-, g or degrees per second
  double units_per_step;  // g or degrees per second
};

// The one table, as the data sheets have it. python/hardwear/wearable/sensors.py repeats it; vectors hold them
// together.
//
// LSM9DS1: DocID025715 Rev 2, table 3 (page 12), rows LA_So and G_So. A step is no even part of the full scale there:
// 2000 / 32768 would be 61 millidegrees per second, and 13 % low.
// BMI270: BST-BMI270-DS000, electrical specification, sensitivity: 32768 steps to the full scale.
constexpr Scale kScales[] = {
    {Part::kLsm9ds1, Quantity::kAcceleration, 2, 0.061e-3},
    {Part::kLsm9ds1, Quantity::kAcceleration, 4, 0.122e-3},
    {Part::kLsm9ds1, Quantity::kAcceleration, 8, 0.244e-3},
    {Part::kLsm9ds1, Quantity::kAcceleration, 16, 0.732e-3},
    {Part::kLsm9ds1, Quantity::kRate, 245, 8.75e-3},
    {Part::kLsm9ds1, Quantity::kRate, 500, 17.5e-3},
    {Part::kLsm9ds1, Quantity::kRate, 2000, 70e-3},
    {Part::kBmi270, Quantity::kAcceleration, 2, 1.0 / 16384},
    {Part::kBmi270, Quantity::kAcceleration, 4, 1.0 / 8192},
    {Part::kBmi270, Quantity::kAcceleration, 8, 1.0 / 4096},
    {Part::kBmi270, Quantity::kAcceleration, 16, 1.0 / 2048},
    {Part::kBmi270, Quantity::kRate, 125, 1.0 / 262.144},
    {Part::kBmi270, Quantity::kRate, 250, 1.0 / 131.072},
    {Part::kBmi270, Quantity::kRate, 500, 1.0 / 65.536},
    {Part::kBmi270, Quantity::kRate, 1000, 1.0 / 32.768},
    {Part::kBmi270, Quantity::kRate, 2000, 1.0 / 16.384},
};

// The ranges in use: the smallest that hold what the contract can carry, +-4 g and +-16 rad/s = 917 degrees per second.
// docs/boards.md has what UCI-HAR's wearers reach.
constexpr uint16_t kAccelerationRangeG = 4;
constexpr uint16_t kLsm9ds1RateRangeDps = 2000;  // it has none between 500 and this
constexpr uint16_t kBmi270RateRangeDps = 1000;

// Counts per step as a multiplier with 24 fractional bits, for to_counts(). 0 for a range that the table lacks.
constexpr uint8_t kScaleFractionBits = 24;
constexpr int32_t scale_multiplier(Part part, Quantity quantity, uint16_t full_scale) {
  constexpr double kRadiansPerDegree = 0.017453292519943295;
  static_assert(kCountsPerUnit[0] == 8192 && kCountsPerUnit[3] == 2048, "counts are of 1/8192 g and 1/2048 rad/s");
  for (const Scale& scale : kScales) {
    if (scale.part != part || scale.quantity != quantity || scale.full_scale != full_scale) continue;
    const double counts_per_unit = quantity == Quantity::kAcceleration
                                       ? static_cast<double>(kCountsPerUnit[0])
                                       : kRadiansPerDegree * static_cast<double>(kCountsPerUnit[3]);
    return static_cast<int32_t>(scale.units_per_step * counts_per_unit * (1 << kScaleFractionBits) + 0.5);
  }
  return 0;
}

// A step, -32,768 to 32,768, as counts: (step * multiplier + half) >> 24, rounded half up, saturated to int16. Equal
// bit for bit to hardwear.wearable.sensors in Python.
inline int16_t to_counts(int32_t step, int32_t multiplier) {
  constexpr int64_t kHalf = int64_t{1} << (kScaleFractionBits - 1);
  const int64_t counts = (static_cast<int64_t>(step) * multiplier + kHalf) >> kScaleFractionBits;
  if (counts > INT16_MAX) return INT16_MAX;
  if (counts < INT16_MIN) return INT16_MIN;
  return static_cast<int16_t>(counts);
}

}  // namespace hardwear
