#include "core/window.h"

#include <cstring>

#include "core/bytes.h"
#include "core/crc32.h"

namespace hardwear {

void Window::reset() {
  next_ = 0;
  samples_to_due_ = kWindowSamples;
  end_ = 0;
}

bool Window::push(const int16_t sample[kChannelCount]) {
  std::memcpy(ring_[next_], sample, sizeof ring_[next_]);
  next_ = static_cast<uint16_t>((next_ + 1) % kWindowSamples);
  ++end_;
  if (--samples_to_due_ > 0) return false;
  samples_to_due_ = kHopSamples;
  return true;
}

const int16_t* Window::sample(size_t index) const { return ring_[(next_ + index) % kWindowSamples]; }

uint32_t Window::crc32() const {
  uint32_t crc = 0;
  for (size_t i = 0; i < kWindowSamples; ++i) {
    uint8_t bytes[2 * kChannelCount];
    for (size_t c = 0; c < kChannelCount; ++c) store_u16(bytes + 2 * c, static_cast<uint16_t>(sample(i)[c]));
    crc = hardwear::crc32(bytes, sizeof bytes, crc);
  }
  return crc;
}

}  // namespace hardwear
