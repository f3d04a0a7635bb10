// From raw samples to the signals that the model was trained on: median, low-pass, gyro offset removal.
#pragma once

#include <cstdint>

#include "generated/contract.h"
#include "generated/filter_coefficients.h"

namespace hardwear {

// Conditions a stream of samples in fixed point, equal bit for bit to hardwear.conditioning.condition_counts() in
// Python. Any int16 input is allowed: nothing inside can overflow, the output saturates. docs/conditioning.md specifies
// every rounding.
//
// Counts: acceleration 1/8192 g, angular rate 1/2048 rad/s, channels in the order of kChannelNames, 50 samples a second.
// No heap, about 500 bytes. Owns its state; not re-entrant, so never call it from an interrupt.
class Conditioner {
 public:
  Conditioner() { reset(); }

  // Back to zero state, as before the first sample of a recording.
  void reset();

  // Takes one raw sample. The median looks one sample ahead: `out` gets the conditioned counts of the sample before.
  // Returns false, and leaves `out` alone, for the first sample after a reset. `raw` and `out` may be the same array.
  bool push(const int16_t raw[kChannelCount], int16_t out[kChannelCount]);

  // Ends the recording: `out` gets the conditioned counts of the last sample, and the state returns to zero.
  // Returns false, and leaves `out` alone, if no sample was pushed.
  bool flush(int16_t out[kChannelCount]);

 private:
  static constexpr int kGyroChannel = 3;
  static constexpr int kGyroCount = kChannelCount - kGyroChannel;

  // A signal's last two values, in counts times 2^kStateFractionBits.
  struct Delay {
    int32_t newer;
    int32_t older;
  };

  // A chain of biquads. Section k reads delays[k] and writes delays[k + 1]: neighbours share what lies between them.
  template <int kSections>
  struct Cascade {
    Delay delays[kSections + 1];
    // What truncation cut off each section's last output, 0 to 2^kCoefficientFractionBits - 1.
    int32_t remainders[kSections];

    void reset();
    int32_t step(const Biquad (&sections)[kSections], int32_t input);
  };

  void filter(const int16_t next[kChannelCount], int16_t out[kChannelCount]);

  bool started_;
  int16_t before_[kChannelCount];
  int16_t now_[kChannelCount];
  Cascade<kLowPassSections> low_pass_[kChannelCount];
  Cascade<kOffsetSections> offset_[kGyroCount];
};

}  // namespace hardwear
