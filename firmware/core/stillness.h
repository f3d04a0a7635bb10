// Has the sensor stopped living, or its wearer moving?
#pragma once

#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

// Tells a frozen sensor: a living one never gives the same six numbers for a second, because of its noise. 16 bytes.
class FreezeDetector {
 public:
  // `samples` alike in a row are frozen: one second of the sensor's nominal rate.
  void begin(uint16_t samples) {
    limit_ = samples;
    alike_ = 0;
  }

  // Takes a sample as the sensor gave it. Returns true from the sample on that makes a whole second alike, and until
  // one differs.
  bool push(const int16_t sample[kChannelCount]);

 private:
  uint16_t limit_ = 0;
  uint16_t alike_ = 0;  // samples equal to the one before, in a row
  int16_t last_[kChannelCount] = {};
};

// Tells that nothing has moved for half a minute: each channel within a band since. A person who lies awake moves more,
// a board on a table doesn't. 40 bytes.
class StillnessDetector {
 public:
  static constexpr uint16_t kSamples = 30 * kSampleRateHz;
  static constexpr int16_t kAccelerationBand = 8192 * 6 / 100;  // 0.06 g peak to peak
  static constexpr int16_t kRateBand = 2048 * 12 / 100;         // 0.12 rad/s peak to peak
  static_assert(kCountsPerUnit[0] == 8192 && kCountsPerUnit[3] == 2048, "the bands are for these counts");

  void reset() { samples_ = 0; }

  // Takes a sample of kSampleRateHz. Returns true once kSamples in a row lie within the bands, and from then on until
  // one doesn't.
  bool push(const int16_t sample[kChannelCount]);

 private:
  uint16_t samples_ = 0;
  int16_t low_[kChannelCount] = {};
  int16_t high_[kChannelCount] = {};
};

}  // namespace hardwear
