#include "core/confidence.h"

#include "core/decision.h"
#include "generated/confidence_table.h"

namespace hardwear {

static_assert(kExponential[0] == kWeightOne, "the largest logit's weight keeps the sum from being zero");
static_assert(uint64_t{kWeightOne} * (2 * kCertainty + kClassCount) <= UINT32_MAX, "the numerator fits 32 bits");

void softmax(const uint16_t exponential[256], const int8_t logits[kClassCount], uint8_t out[kClassCount]) {
  const int32_t largest = logits[decide(logits)];
  uint32_t weights[kClassCount];
  uint32_t sum = 0;
  for (uint8_t i = 0; i < kClassCount; ++i) {
    weights[i] = exponential[largest - logits[i]];
    sum += weights[i];
  }
  for (uint8_t i = 0; i < kClassCount; ++i) {
    out[i] = static_cast<uint8_t>((2u * kCertainty * weights[i] + sum) / (2u * sum));
  }
}

void probabilities(const int8_t logits[kClassCount], uint8_t out[kClassCount]) {
  softmax(kExponential, logits, out);
}

}  // namespace hardwear
