// How sure the model is: six probabilities from its int8 logits.
#pragma once

#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

// A probability is told in 255ths: 0 is none, 255 is certainty.
constexpr uint8_t kCertainty = 255;

// Weight of the largest logit in a table of exponentials.
constexpr uint16_t kWeightOne = 1u << 15;

// Probabilities of the classes, which add up to 255 give or take 3, each within 0.52 of 255 times the exact softmax.
// Larger logits never get smaller probabilities, equal ones get equal probabilities; the confidence of a decision is
// out[decide(logits)], 43 to 255.
//
//   w[i] = exponential[max(logits) - logits[i]],  out[i] = (510 * w[i] + sum(w)) / (2 * sum(w))
//
// `exponential` holds round(2^15 * exp(-d * scale / temperature)) for the differences d = 0 to 255, kWeightOne first.
// Equal bit for bit to IntegerSoftmax.probabilities() in Python. Six divisions, no state: may be called from anywhere,
// interrupts included.
void softmax(const uint16_t exponential[256], const int8_t logits[kClassCount], uint8_t out[kClassCount]);

// softmax() with the table of this firmware's bundle, its scale and temperature folded in.
void probabilities(const int8_t logits[kClassCount], uint8_t out[kClassCount]);

}  // namespace hardwear
