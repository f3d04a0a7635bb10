// The sliding window: the last kWindowSamples conditioned samples, due every kHopSamples.
#pragma once

#include <cstddef>
#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

// Ring buffer of conditioned samples that says when a window is complete. Windows cover the conditioned samples
// [k * kHopSamples, k * kHopSamples + kWindowSamples). Not for use from an interrupt.
class Window {
  static_assert(kHopSamples > 0 && kHopSamples <= kWindowSamples, "windows may overlap but leave no gap");

 public:
  // Forgets every sample.
  void reset();

  // Appends one sample of counts. Returns true when a window is complete with it: read it before the next push().
  bool push(const int16_t sample[kChannelCount]);

  // The `index`-th oldest sample of a complete window, 0 to kWindowSamples - 1.
  const int16_t* sample(size_t index) const;

  // Samples pushed since reset(), which is the exclusive end of the window that just completed. Wraps at 2^32.
  uint32_t end() const { return end_; }

  // CRC-32 of the complete window: int16 counts, little-endian, oldest sample first.
  uint32_t crc32() const;

 private:
  int16_t ring_[kWindowSamples][kChannelCount] = {};
  uint16_t next_ = 0;                        // where the next sample goes; of a full ring, the oldest sample
  uint16_t samples_to_due_ = kWindowSamples;
  uint32_t end_ = 0;
};

}  // namespace hardwear
