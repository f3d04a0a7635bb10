// The motion sensor's true rate by the board's clock.
#pragma once

#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

// A sensor keeps its own time: several per cent off its data sheet, different on each chip, and drifting with warmth.
// Counts its samples against the board's microseconds, from the oldest to the newest of the marks of half a minute:
//
//   meter.add(micros(), samples);               after each drain of the FIFO to its last sample
//   resampler.set_step(meter.step_q24());
//
// A drain comes up to one sample after the sample that it ends with, and so do both ends of a measurement: the rate is
// off by at most one sample, and what the clock was read too late by, in what was counted. That is 0.5 % after two
// seconds, when the first measured rate replaces the nominal one, and 0.03 % from half a minute on.
//
// Times are microseconds modulo 2^32, counts modulo 2^32. Integers only, equal bit for bit to
// hardwear.wearable.rate_meter in Python. 180 bytes, no heap. Not re-entrant; never call it from an interrupt.
class RateMeter {
 public:
  // Between two marks that are kept, at least; and how many of these intervals are measured over.
  static constexpr uint32_t kIntervalUs = 2000000;
  static constexpr uint8_t kIntervals = 16;
  // Without add() for longer than this, what was before is of no use.
  static constexpr uint32_t kMaxSilenceUs = 60000000;
  // A rate may be off nominal by a tenth.
  static constexpr uint32_t kTolerance = 10;

  // `nominal_millihertz`: the data sheet's rate, 1,000 to 1,000,000, which holds until there is a measured one.
  explicit RateMeter(uint32_t nominal_millihertz) { reset(nominal_millihertz); }

  // Another sensor, or the same one configured anew: begins with its nominal rate.
  void reset(uint32_t nominal_millihertz);

  // Samples were lost, or the sensor slept: measures anew. The rate stays as it is until then.
  void restart();

  // The FIFO was emptied at `now_us` and gave `samples_drained`; 0 counts too. A FIFO that is read in parts is told at
  // the last one, with the sum.
  void add(uint32_t now_us, uint32_t samples_drained);

  // The rate as input samples per output sample, times 2^24: what Resampler takes. And as itself.
  uint32_t step_q24() const { return step_; }
  uint32_t millihertz() const { return millihertz_; }

  // The rate was measured, be it before a restart().
  bool settled() const { return settled_; }

  // In the last interval the sensor kept within a tenth of its nominal rate. If not, that interval is not counted, the
  // measurement begins anew after it, and the rate stays: step_q24() never leaves that range.
  bool plausible() const { return plausible_; }

 private:
  struct Mark {
    uint32_t time_us;
    uint32_t samples;  // since the beginning
  };

  void keep(const Mark& mark);
  void estimate();

  uint32_t nominal_;
  uint32_t millihertz_;
  uint32_t step_;
  uint32_t samples_;
  bool settled_;
  bool plausible_;
  uint8_t newest_;  // of marks_, which is a ring
  uint8_t kept_;
  Mark marks_[kIntervals + 1];
};

}  // namespace hardwear
