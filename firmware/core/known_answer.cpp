#include "core/known_answer.h"

#include "core/pipeline.h"

namespace hardwear {
namespace {

Outcome first_prediction(const KnownAnswer& known, Pipeline* pipeline, Prediction* out) {
  for (size_t i = 0; i < known.samples; ++i) {
    const Outcome outcome = pipeline->push(known.raw + i * kChannelCount, out);
    if (outcome != Outcome::kPending) return outcome;
  }
  return pipeline->flush(out);
}

KnownAnswerReport compare(const KnownAnswer& known, Pipeline* pipeline) {
  Prediction prediction;
  const Outcome outcome = first_prediction(known, pipeline, &prediction);
  // The window is compared before the engine's outcome counts: what comes first in the chain is named first.
  const uint32_t crc = outcome == Outcome::kPending ? 0 : pipeline->window().crc32();
  if (outcome == Outcome::kPending || crc != known.window_crc32) {
    return {KnownAnswerResult::kConditioningDiffers, 0, known.window_crc32, crc};
  }
  if (outcome == Outcome::kEngineFailed) return {KnownAnswerResult::kEngineFailed, 0, 0, 0};
  const Inference& actual = prediction.inference;
  for (uint32_t i = 0; i < kEmbeddingSize; ++i) {
    if (actual.embedding[i] != known.embedding[i]) {
      return {KnownAnswerResult::kEmbeddingDiffers, i, known.embedding[i], actual.embedding[i]};
    }
  }
  for (uint32_t i = 0; i < kClassCount; ++i) {
    if (actual.logits[i] != known.logits[i]) {
      return {KnownAnswerResult::kLogitDiffers, i, known.logits[i], actual.logits[i]};
    }
  }
  for (uint32_t i = 0; i < kClassCount; ++i) {
    if (prediction.probabilities[i] != known.probabilities[i]) {
      return {KnownAnswerResult::kProbabilityDiffers, i, known.probabilities[i], prediction.probabilities[i]};
    }
  }
  return {KnownAnswerResult::kEqual, 0, 0, 0};
}

}  // namespace

KnownAnswerReport run_known_answer(const KnownAnswer& known, Pipeline* pipeline) {
  pipeline->reset();
  const KnownAnswerReport report = compare(known, pipeline);
  pipeline->reset();
  return report;
}

}  // namespace hardwear
