// From the sensor's own rate, whatever it is, to the contract's kSampleRateHz.
#pragma once

#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

// Draws straight lines between samples that carry the time at which they were taken, and reads them off every
// 1/kSampleRateHz of that clock, so that a sensor clock that is several per cent off does not matter. For every sample
// pushed call pull() until it returns false:
//
//   if (!resampler.push(time_us, sample)) pipeline.reset();
//   while (resampler.pull(even)) pipeline.push(even, &prediction);
//
// A line is no anti-alias filter: what the sensor's own filter leaves above kSampleRateHz / 2 folds back, and a sine
// of f hertz sampled at r loses up to 1 - cos(pi f / r) of its height (at 119 Hz: 0.9 % at 5 Hz, 3.5 % at 10 Hz).
//
// About 50 bytes, no heap. Not re-entrant; never call it from an interrupt.
class Resampler {
 public:
  // Longer silence between two samples is a gap: a line across it would be invented motion.
  static constexpr uint32_t kMaxGapUs = 200000;
  static constexpr uint32_t kPeriodUs = 1000000 / kSampleRateHz;
  static_assert(1000000 % kSampleRateHz == 0, "the output instants must be whole microseconds");

  // Forgets everything: the next sample is the first.
  void reset() { samples_ = 0; }

  // Takes a sample in counts and its time, microseconds modulo 2^32. Returns false if it stands alone: more than
  // kMaxGapUs after the one before, or not after it at all (the clock was set back); it then is the first of a new run.
  bool push(uint32_t time_us, const int16_t sample[kChannelCount]);

  // Writes the next even sample to `out`, rounded to the nearest count, half up. Returns false, and leaves `out` alone,
  // if it lies after the last sample that was pushed.
  bool pull(int16_t out[kChannelCount]);

 private:
  struct TimedSample {
    uint32_t time_us;
    int16_t counts[kChannelCount];
  };

  void begin_run(uint32_t time_us, const int16_t sample[kChannelCount]);

  uint8_t samples_ = 0;    // 0, 1, or 2: a line can be drawn
  TimedSample from_ = {};  // the line's ends
  TimedSample to_ = {};
  uint32_t due_us_ = 0;    // time of the next even sample, never before from_
};

}  // namespace hardwear
