// From conditioned counts to the int8 input of the model.
#pragma once

#include <cstddef>
#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

// Quantises one sample of conditioned counts, each channel by its own line:
//   out[c] = clamp(-128, 127, (counts[c] * kInputMultiplier[c] + kInputOffset[c]) >> kInputShift)
// with an arithmetic shift in 64 bits. kInputOffset holds the zero point, the training mean and the rounding half.
// Equal bit for bit to InputQuantizer.quantize() in Python. No state: may be called from anywhere.
void quantize(const int16_t counts[kChannelCount], int8_t out[kChannelCount]);

}  // namespace hardwear
