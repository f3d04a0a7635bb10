#include "core/decision.h"

namespace hardwear {

uint8_t decide(const int8_t logits[kClassCount]) {
  uint8_t best = 0;
  for (uint8_t i = 1; i < kClassCount; ++i) {
    if (logits[i] > logits[best]) best = i;
  }
  return best;
}

}  // namespace hardwear
