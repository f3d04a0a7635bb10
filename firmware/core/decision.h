// From logits to a class.
#pragma once

#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

// Index of the largest logit; of equal ones the lowest index wins, as with NumPy's argmax. May be called from anywhere.
uint8_t decide(const int8_t logits[kClassCount]);

}  // namespace hardwear
