#include "core/rate_meter.h"

namespace hardwear {
namespace {

constexpr uint64_t kMillihertz = 1000000000;  // of one sample a microsecond
constexpr uint64_t kPeriodUs = 1000000 / kSampleRateHz;
static_assert(1000000 % kSampleRateHz == 0, "a period must be whole microseconds");
static_assert(uint64_t{RateMeter::kMaxSilenceUs} * RateMeter::kIntervals < UINT32_MAX, "times are modulo 2^32");
static_assert(sizeof(RateMeter) <= 180, "RAM budget");

// To the nearest whole number, half up.
uint32_t quotient(uint64_t numerator, uint32_t denominator) {
  return static_cast<uint32_t>((numerator + denominator / 2) / denominator);
}

}  // namespace

void RateMeter::reset(uint32_t nominal_millihertz) {
  nominal_ = nominal_millihertz;
  millihertz_ = nominal_millihertz;
  step_ = quotient(uint64_t{nominal_millihertz} << 24, 1000 * kSampleRateHz);
  settled_ = false;
  plausible_ = true;
  restart();
}

void RateMeter::restart() {
  samples_ = 0;
  newest_ = 0;
  kept_ = 0;
}

void RateMeter::add(uint32_t now_us, uint32_t samples_drained) {
  samples_ += samples_drained;
  const Mark mark = {now_us, samples_};
  if (kept_ == 0) {
    keep(mark);
    return;
  }
  const uint32_t elapsed = now_us - marks_[newest_].time_us;
  if (elapsed < kIntervalUs) return;
  if (elapsed > kMaxSilenceUs) {
    kept_ = 0;
    keep(mark);
    return;
  }
  const uint64_t taken = uint64_t{samples_ - marks_[newest_].samples} * kMillihertz;
  const uint64_t expected = uint64_t{nominal_} * elapsed;
  const uint64_t off = taken > expected ? taken - expected : expected - taken;
  plausible_ = off <= expected / kTolerance;
  if (!plausible_) kept_ = 0;
  keep(mark);
  if (plausible_) estimate();
}

void RateMeter::keep(const Mark& mark) {
  newest_ = newest_ == kIntervals ? 0 : newest_ + 1;
  marks_[newest_] = mark;
  if (kept_ <= kIntervals) ++kept_;
}

void RateMeter::estimate() {
  const Mark& newest = marks_[newest_];
  const Mark& oldest = marks_[(newest_ + kIntervals + 2 - kept_) % (kIntervals + 1)];
  const uint32_t elapsed = newest.time_us - oldest.time_us;
  const uint32_t taken = newest.samples - oldest.samples;
  // Every interval is within a tenth of nominal, so all together are: at 1 MHz of millihertz below 2^60.
  millihertz_ = quotient(taken * kMillihertz, elapsed);
  step_ = quotient((taken * kPeriodUs) << 24, elapsed);
  settled_ = true;
}

}  // namespace hardwear
