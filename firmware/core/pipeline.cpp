#include "core/pipeline.h"

#include "core/confidence.h"
#include "core/decision.h"
#include "core/quantization.h"

namespace hardwear {

void Pipeline::reset() {
  conditioner_.reset();
  window_.reset();
  stream_ = 0;
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

Outcome Pipeline::infer(Prediction* out) { return name_input(0, out); }

// `stream` is 0 for a window by itself.
Outcome Pipeline::name_input(uint32_t stream, Prediction* out) {
  const uint32_t start = board_.now();
  const bool named = stream == 0 ? classifier_.classify(input_, &out->inference)
                                 : classifier_.classify_next(stream, input_, &out->inference);
  if (!named) return Outcome::kEngineFailed;
  out->time = board_.now() - start;
  out->activity = decide(out->inference.logits);
  probabilities(out->inference.logits, out->probabilities);
  out->end_sample = 0;
  return Outcome::kPrediction;
}

Outcome Pipeline::add_conditioned(const int16_t conditioned[kChannelCount], Prediction* out) {
  if (!window_.push(conditioned)) return Outcome::kPending;
  for (size_t i = 0; i < kWindowSamples; ++i) set_input_sample(i, window_.sample(i));
  if (stream_ == 0) stream_ = classifier_.begin_stream();
  const Outcome outcome = name_input(stream_, out);
  out->end_sample = window_.end();
  return outcome;
}

}  // namespace hardwear
