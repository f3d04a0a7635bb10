// From the motion sensor's own rate to the contract's kSampleRateHz, without jitter and without aliases.
#pragma once

#include <cstdint>

#include "core/resampler_kernel.h"
#include "generated/contract.h"

namespace hardwear {

// Reads a band-limited signal off at equal steps between the samples, by a windowed sinc of kResamplerTaps samples that
// is anti-alias filter and interpolation at once. For every sample pushed call pull() once:
//
//   resampler.set_step(meter.step_q24());
//   resampler.push(sample);
//   if (resampler.pull(even)) pipeline.push(even, &prediction);
//
// Output k lies at the input position of the sum of the k steps before it, the first one at the first sample, so that
// the numbering knows no delay; it comes kResamplerTaps / 2 samples later (185 ms at 119 Hz). Before the first sample
// the first sample is taken to stand: nothing rings at the start. Positions count from the newest sample and are exact:
// no drift and no overflow however long it runs.
//
// Below 15 Hz flat to 0.1 dB; aliases and images 60 dB down, for 90 to 131 Hz (docs/resampling.md: the measured
// figures). Equal bit for bit to hardwear.wearable.resampling in Python, which specifies every rounding.
//
// Counts in, counts out, saturating. 550 bytes of state and a table of 2.9 KB, no heap; an output is
// 2 kResamplerTaps kChannelCount multiplications of 16 bits. Not re-entrant; never call it from an interrupt.
class Resampler {
 public:
  Resampler() { reset(); }

  // Forgets all samples: the next one is the first. The step stays.
  void reset();

  // Input samples per output sample, times 2^24, held to kResamplerMinStep ... kResamplerMaxStep; 100 Hz until it is
  // set. The next output stays where it is, the one after it follows at the new distance: a change never jumps.
  void set_step(uint32_t step_q24);
  uint32_t step_q24() const { return step_; }

  // Takes the next sample of the sensor. An output that was due and not pulled is lost; those after it stay in place.
  void push(const int16_t in[kChannelCount]);

  // Writes the output that is due to `out`, rounded to the nearest count, half up. Returns false, and leaves `out`
  // alone, if none is.
  bool pull(int16_t out[kChannelCount]);

 private:
  static constexpr uint32_t kOne = uint32_t{1} << 24;  // from one input sample to the next

  bool empty_;
  uint16_t oldest_;  // row of history_, which is a ring
  uint32_t due_;     // position of the next output, from the sample kResamplerTaps / 2 before the newest
  uint32_t step_ = 2 * kOne;
  int16_t history_[kResamplerTaps][kChannelCount];
};

}  // namespace hardwear
