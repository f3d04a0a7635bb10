#include "core/smoother.h"

namespace hardwear {
namespace {

constexpr int32_t kOne = 256;  // levels of a 255th

}  // namespace

void Smoother::configure(uint8_t smoothing, uint8_t threshold) {
  smoothing_ = smoothing < kMaxSmoothing ? smoothing : kMaxSmoothing;
  threshold_ = threshold;
}

void Smoother::reset() {
  empty_ = true;
  label_ = kUnknownActivity;
}

uint8_t Smoother::push(const uint8_t probabilities[kClassCount]) {
  uint8_t best = 0;
  for (uint8_t i = 0; i < kClassCount; ++i) {
    const int32_t heard = probabilities[i] * kOne;
    const int32_t level = empty_ ? heard : level_[i] + ((heard - level_[i]) >> smoothing_);
    level_[i] = static_cast<uint16_t>(level);
    if (level_[i] > level_[best]) best = i;
  }
  empty_ = false;
  const int32_t named = threshold_ * kOne;
  const int32_t margin = kMargin * kOne;
  if (label_ == kUnknownActivity) {
    if (level_[best] >= named) label_ = best;
  } else {
    if (level_[best] >= level_[label_] + margin) label_ = best;
    if (level_[label_] < named - margin) label_ = kUnknownActivity;
  }
  return label_;
}

}  // namespace hardwear
