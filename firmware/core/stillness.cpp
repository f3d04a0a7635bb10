#include "core/stillness.h"

namespace hardwear {

bool FreezeDetector::push(const int16_t sample[kChannelCount]) {
  bool same = true;
  for (int channel = 0; channel < kChannelCount; ++channel) {
    if (sample[channel] != last_[channel]) same = false;
    last_[channel] = sample[channel];
  }
  if (!same) {
    alike_ = 0;
  } else if (alike_ < limit_) {
    ++alike_;
  }
  return limit_ > 0 && alike_ >= limit_;
}

bool StillnessDetector::push(const int16_t sample[kChannelCount]) {
  bool within = samples_ > 0;
  for (int channel = 0; within && channel < kChannelCount; ++channel) {
    if (sample[channel] < low_[channel]) low_[channel] = sample[channel];
    if (sample[channel] > high_[channel]) high_[channel] = sample[channel];
    const int32_t band = channel < 3 ? kAccelerationBand : kRateBand;
    within = static_cast<int32_t>(high_[channel]) - low_[channel] <= band;
  }
  if (!within) {
    for (int channel = 0; channel < kChannelCount; ++channel) low_[channel] = high_[channel] = sample[channel];
    samples_ = 1;
  } else if (samples_ < kSamples) {
    ++samples_;
  }
  return samples_ >= kSamples;
}

}  // namespace hardwear
