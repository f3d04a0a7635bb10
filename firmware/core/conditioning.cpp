#include "core/conditioning.h"

namespace hardwear {
namespace {

static_assert((int64_t{-1} >> 1) == -1, "the specification's >> floors");
static_assert(kCoefficientFractionBits >= 1 && kCoefficientFractionBits <= 30, "a remainder must fit int32");
static_assert(kStateFractionBits >= 1 && kStateFractionBits <= 15, "an int16 count must fit a state");
static_assert(kChannelCount == 6, "acceleration x, y, z, then gyro x, y, z");
static_assert(sizeof(Conditioner) <= 512, "RAM budget");

constexpr int32_t kOne = int32_t{1} << kCoefficientFractionBits;
constexpr int32_t kHalf = kOne / 2;
constexpr int32_t kHalfCount = int32_t{1} << (kStateFractionBits - 1);

// A constant signal must pass exactly: then what is constant in the gyro is taken off to the last bit.
constexpr bool has_unity_gain(const Biquad& s) {
  return int64_t{s.b0} + s.b1 + s.b2 == int64_t{kOne} - s.minus_a1 - s.minus_a2;
}
template <int kSections>
constexpr bool all_have_unity_gain(const Biquad (&sections)[kSections]) {
  for (int k = 0; k < kSections; ++k) {
    if (!has_unity_gain(sections[k])) return false;
  }
  return true;
}
static_assert(all_have_unity_gain(kLowPass) && all_have_unity_gain(kOffset), "unity gain at DC");

int16_t smaller(int16_t a, int16_t b) { return a < b ? a : b; }
int16_t larger(int16_t a, int16_t b) { return a < b ? b : a; }

int16_t median(int16_t a, int16_t b, int16_t c) { return larger(smaller(a, b), smaller(larger(a, b), c)); }

// Half rounds up. Adding half a count can't overflow: the proof of the states' headroom includes it.
int16_t to_counts(int32_t state) {
  const int32_t counts = (state + kHalfCount) >> kStateFractionBits;
  if (counts > INT16_MAX) return INT16_MAX;
  if (counts < INT16_MIN) return INT16_MIN;
  return static_cast<int16_t>(counts);
}

}  // namespace

template <int kSections>
void Conditioner::Cascade<kSections>::reset() {
  for (Delay& delay : delays) delay = {0, 0};
  // Starting at one half turns truncation into rounding whose error sums to nothing.
  for (int32_t& remainder : remainders) remainder = kHalf;
}

template <int kSections>
int32_t Conditioner::Cascade<kSections>::step(const Biquad (&sections)[kSections], int32_t input) {
  for (int k = 0; k < kSections; ++k) {
    const Biquad& section = sections[k];
    Delay& x = delays[k];
    const Delay& y = delays[k + 1];
    int64_t sum = remainders[k];
    sum += int64_t{section.b0} * input;
    sum += int64_t{section.b1} * x.newer;
    sum += int64_t{section.b2} * x.older;
    sum += int64_t{section.minus_a1} * y.newer;
    sum += int64_t{section.minus_a2} * y.older;
    x = {input, x.newer};
    remainders[k] = static_cast<int32_t>(sum & (kOne - 1));
    input = static_cast<int32_t>(sum >> kCoefficientFractionBits);
  }
  delays[kSections] = {input, delays[kSections].newer};
  return input;
}

void Conditioner::reset() {
  started_ = false;
  for (int c = 0; c < kChannelCount; ++c) {
    before_[c] = 0;
    now_[c] = 0;
    low_pass_[c].reset();
  }
  for (Cascade<kOffsetSections>& offset : offset_) offset.reset();
}

bool Conditioner::push(const int16_t raw[kChannelCount], int16_t out[kChannelCount]) {
  if (!started_) {
    started_ = true;
    for (int c = 0; c < kChannelCount; ++c) now_[c] = raw[c];
    return false;
  }
  filter(raw, out);
  return true;
}

bool Conditioner::flush(int16_t out[kChannelCount]) {
  if (!started_) return false;
  const int16_t beyond_the_end[kChannelCount] = {};
  filter(beyond_the_end, out);
  reset();
  return true;
}

void Conditioner::filter(const int16_t next[kChannelCount], int16_t out[kChannelCount]) {
  for (int c = 0; c < kChannelCount; ++c) {
    const int16_t raw = next[c];
    const int32_t smoothed = median(before_[c], now_[c], raw);
    before_[c] = now_[c];
    now_[c] = raw;
    int32_t signal = low_pass_[c].step(kLowPass, smoothed * (int32_t{1} << kStateFractionBits));
    if (c >= kGyroChannel) signal -= offset_[c - kGyroChannel].step(kOffset, signal);
    out[c] = to_counts(signal);
  }
}

}  // namespace hardwear
