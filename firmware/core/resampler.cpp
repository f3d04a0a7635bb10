#include "core/resampler.h"

namespace hardwear {
namespace {

// Between `from` and `to`, at elapsed / span of the way: 0 <= elapsed <= span, 0 < span.
int16_t on_the_line(int16_t from, int16_t to, uint32_t elapsed, uint32_t span) {
  // floor(x + 1/2) with x = (to - from) elapsed / span; shifted into the positive, because division truncates.
  const int64_t doubled = 2 * (static_cast<int64_t>(to) - from) * elapsed + span;
  const int64_t shift = static_cast<int64_t>(1) << 17;  // more than |to - from|
  const int64_t steps = (doubled + 2 * shift * span) / (2 * static_cast<int64_t>(span)) - shift;
  return static_cast<int16_t>(from + steps);
}

void copy(const int16_t from[kChannelCount], int16_t to[kChannelCount]) {
  for (int channel = 0; channel < kChannelCount; ++channel) to[channel] = from[channel];
}

}  // namespace

void Resampler::begin_run(uint32_t time_us, const int16_t sample[kChannelCount]) {
  to_.time_us = time_us;
  copy(sample, to_.counts);
  due_us_ = time_us;
  samples_ = 1;
}

bool Resampler::push(uint32_t time_us, const int16_t sample[kChannelCount]) {
  if (samples_ == 0) {
    begin_run(time_us, sample);
    return true;
  }
  const uint32_t since = time_us - to_.time_us;
  if (since == 0 || since > kMaxGapUs) {
    begin_run(time_us, sample);
    return false;
  }
  from_ = to_;
  to_.time_us = time_us;
  copy(sample, to_.counts);
  samples_ = 2;
  return true;
}

bool Resampler::pull(int16_t out[kChannelCount]) {
  if (samples_ < 2) return false;
  const uint32_t span = to_.time_us - from_.time_us;
  const uint32_t elapsed = due_us_ - from_.time_us;
  if (elapsed > span) return false;
  for (int channel = 0; channel < kChannelCount; ++channel) {
    out[channel] = on_the_line(from_.counts[channel], to_.counts[channel], elapsed, span);
  }
  due_us_ += kPeriodUs;
  return true;
}

}  // namespace hardwear
