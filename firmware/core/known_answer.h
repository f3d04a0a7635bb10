// The known-answer test: does this chip compute what Python computed when the bundle was made?
#pragma once

#include <cstdint>

#include "core/classifier.h"

namespace hardwear {

class Pipeline;

// A recording with the answer that the whole chip chain must give for its first full window. The one of the bundle
// is kKnownAnswer in generated/known_answer.h; `raw` has static storage.
struct KnownAnswer {
  const int16_t* raw;      // samples x kChannelCount raw counts
  uint16_t samples;        // at least kWindowSamples
  uint32_t window_crc32;   // CRC-32 of the first conditioned window: int16, little-endian, sample-major
  int8_t logits[kClassCount];
  int8_t embedding[kEmbeddingSize];
  uint8_t probabilities[kClassCount];  // in 255ths
};

// Where a known-answer test found the first difference.
enum class KnownAnswerResult : uint8_t {
  kEqual,
  kEngineFailed,
  kConditioningDiffers,
  kLogitDiffers,
  kEmbeddingDiffers,
  kProbabilityDiffers,
};

struct KnownAnswerReport {
  KnownAnswerResult result;
  uint32_t index;     // which logit, embedding element or probability differs; otherwise 0
  int64_t expected;   // the value that Python computed, CRC-32 for the conditioning
  int64_t actual;     // the value that this chip computed
};

// Runs the test through `pipeline` as if the recording came from the sensor: conditioning, first full window,
// quantisation, model, probabilities. The pipeline is in its zero state afterwards. Takes one inference; not from an interrupt.
KnownAnswerReport run_known_answer(const KnownAnswer& known, Pipeline* pipeline);

}  // namespace hardwear
