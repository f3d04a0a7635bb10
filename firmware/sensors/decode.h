// From a sensor's bytes to a sample of the contract.
#pragma once

#include <cstdint>

#include "core/bytes.h"
#include "generated/contract.h"
#include "sensors/axes.h"
#include "sensors/scales.h"

namespace hardwear {

// What a sensor's steps are worth, and where they point.
struct Decoding {
  int32_t acceleration;  // multipliers of to_counts()
  int32_t rate;
  AxisMap axes;
};

// Decodes one sample: `acceleration` and `rate` are x, y, z of the sensor, int16 little-endian, six bytes each.
inline void decode_sample(const Decoding& decoding, const uint8_t* acceleration, const uint8_t* rate,
                          int16_t out[kChannelCount]) {
  for (int axis = 0; axis < 3; ++axis) {
    const int from = 2 * decoding.axes.source[axis];
    const int32_t sign = decoding.axes.sign[axis];
    out[axis] = to_counts(sign * load_i16(acceleration + from), decoding.acceleration);
    out[3 + axis] = to_counts(sign * load_i16(rate + from), decoding.rate);
  }
}

}  // namespace hardwear
