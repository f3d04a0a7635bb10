#include "core/resampler.h"

namespace hardwear {
namespace {

constexpr int kBlendBits = 24 - kResamplerPhaseBits;
constexpr int32_t kBlendOne = int32_t{1} << kBlendBits;
constexpr int kOutputBits = kResamplerTapBits + kBlendBits;

constexpr int32_t row_sum(int row, bool magnitudes) {
  int32_t sum = 0;
  for (int tap = 0; tap < kResamplerTaps; ++tap) {
    const int32_t weight = kResamplerKernel[row][tap];
    sum += magnitudes && weight < 0 ? -weight : weight;
  }
  return sum;
}
constexpr bool passes_a_constant() {
  for (int row = 0; row <= kResamplerPhases; ++row) {
    if (row_sum(row, false) != int32_t{1} << kResamplerTapBits) return false;
  }
  return true;
}
constexpr bool sums_fit_int32() {
  for (int row = 0; row <= kResamplerPhases; ++row) {
    if (row_sum(row, true) > 65535) return false;  // times 32768 is below 2^31
  }
  return true;
}
constexpr bool has_no_seam() {
  for (int tap = 0; tap + 1 < kResamplerTaps; ++tap) {
    if (kResamplerKernel[kResamplerPhases][tap + 1] != kResamplerKernel[0][tap]) return false;
  }
  return kResamplerKernel[kResamplerPhases][0] == 0 && kResamplerKernel[0][kResamplerTaps - 1] == 0;
}
static_assert((int64_t{-1} >> 1) == -1, "the specification's >> floors");
static_assert(kResamplerPhases == 1 << kResamplerPhaseBits, "the phase is the fraction's upper bits");
static_assert(passes_a_constant(), "unity gain at DC in every phase");
static_assert(sums_fit_int32(), "a sum of products must fit int32 for any input, in any order");
static_assert(has_no_seam(), "a sample must enter and leave with weight zero");
static_assert(kResamplerMinStep > uint32_t{1} << 24, "one push makes at most one output due");
static_assert(kResamplerTaps / 2u < 255 - (kResamplerMaxStep >> 24), "positions must fit Q8.24");
static_assert(sizeof(Resampler) <= 560, "RAM budget");

int16_t saturated(int64_t value) {
  if (value > INT16_MAX) return INT16_MAX;
  if (value < INT16_MIN) return INT16_MIN;
  return static_cast<int16_t>(value);
}

}  // namespace

void Resampler::reset() {
  empty_ = true;
  oldest_ = 0;
  due_ = 0;
}

void Resampler::set_step(uint32_t step_q24) {
  step_ = step_q24 < kResamplerMinStep ? kResamplerMinStep : step_q24;
  if (step_ > kResamplerMaxStep) step_ = kResamplerMaxStep;
}

void Resampler::push(const int16_t in[kChannelCount]) {
  if (empty_) {
    empty_ = false;
    due_ = kResamplerTaps / 2 * kOne;
    for (auto& sample : history_) {
      for (int channel = 0; channel < kChannelCount; ++channel) sample[channel] = in[channel];
    }
    return;
  }
  if (due_ < kOne) due_ += step_;  // nobody pulled
  due_ -= kOne;
  for (int channel = 0; channel < kChannelCount; ++channel) history_[oldest_][channel] = in[channel];
  if (++oldest_ == kResamplerTaps) oldest_ = 0;
}

bool Resampler::pull(int16_t out[kChannelCount]) {
  if (empty_ || due_ >= kOne) return false;
  const int16_t* before = kResamplerKernel[due_ >> kBlendBits];
  const int16_t* after = before + kResamplerTaps;
  const int32_t blend = static_cast<int32_t>(due_) & (kBlendOne - 1);
  int32_t sum_before[kChannelCount] = {};
  int32_t sum_after[kChannelCount] = {};
  uint16_t row = oldest_;
  for (int tap = 0; tap < kResamplerTaps; ++tap) {
    for (int channel = 0; channel < kChannelCount; ++channel) {
      sum_before[channel] += int32_t{before[tap]} * history_[row][channel];
      sum_after[channel] += int32_t{after[tap]} * history_[row][channel];
    }
    if (++row == kResamplerTaps) row = 0;
  }
  for (int channel = 0; channel < kChannelCount; ++channel) {
    int64_t sum = int64_t{1} << (kOutputBits - 1);
    sum += int64_t{sum_before[channel]} * (kBlendOne - blend);
    sum += int64_t{sum_after[channel]} * blend;
    out[channel] = saturated(sum >> kOutputBits);
  }
  due_ += step_;
  return true;
}

}  // namespace hardwear
