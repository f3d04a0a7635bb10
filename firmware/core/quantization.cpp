#include "core/quantization.h"

namespace hardwear {

static_assert(kInputShift < 63, "the shift works on 64 bits");
static_assert((int64_t{-1} >> 1) == -1, "the shift of negative numbers must be arithmetic");

void quantize(const int16_t counts[kChannelCount], int8_t out[kChannelCount]) {
  for (size_t c = 0; c < kChannelCount; ++c) {
    // |count * multiplier| < 2^46 and the generator keeps |offset| <= 2^62: the sum can't overflow.
    const int64_t steps = (int64_t{counts[c]} * kInputMultiplier[c] + kInputOffset[c]) >> kInputShift;
    out[c] = static_cast<int8_t>(steps < -128 ? -128 : steps > 127 ? 127 : steps);
  }
}

}  // namespace hardwear
