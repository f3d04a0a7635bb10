#include "core/pipeline.h"

#include "core/confidence.h"
#include "core/decision.h"
#include "core/quantization.h"

namespace hardwear {

void Pipeline::reset() {
  conditioner_.reset();
  window_.reset();
}

Outcome Pipeline::push(const int16_t raw[kChannelCount], Prediction* out) {
  int16_t conditioned[kChannelCount];
  return conditioner_.push(raw, conditioned) ? add_conditioned(conditioned, out) : Outcome::kPending;
}

Outcome Pipeline::flush(Prediction* out) {
  int16_t conditioned[kChannelCount];
  return conditioner_.flush(conditioned) ? add_conditioned(conditioned, out) : Outcome::kPending;
}

void Pipeline::set_input_sample(size_t index, const int16_t conditioned[kChannelCount]) {
  quantize(conditioned, input_ + index * kChannelCount);
}

Outcome Pipeline::infer(Prediction* out) {
  const uint32_t start = board_.now();
  if (!classifier_.classify(input_, &out->inference)) return Outcome::kEngineFailed;
  out->time = board_.now() - start;
  out->activity = decide(out->inference.logits);
  probabilities(out->inference.logits, out->probabilities);
  out->end_sample = 0;
  return Outcome::kPrediction;
}

Outcome Pipeline::add_conditioned(const int16_t conditioned[kChannelCount], Prediction* out) {
  if (!window_.push(conditioned)) return Outcome::kPending;
  for (size_t i = 0; i < kWindowSamples; ++i) set_input_sample(i, window_.sample(i));
  const Outcome outcome = infer(out);
  out->end_sample = window_.end();
  return outcome;
}

}  // namespace hardwear
