// What every driver of a motion sensor has to bear, against its virtual sensor.
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "core/imu.h"
#include "sensors/decode.h"

namespace hardwear {

inline void fail_test(const char* what) { FAIL(std::string(what)); }

// Numbers without pattern in the whole range of int16, others for each sample.
inline void numbered_sample(void*, uint32_t index, int16_t acceleration[3], int16_t rate[3]) {
  uint32_t state = index * 2654435761u + 12345u;
  for (int i = 0; i < 6; ++i) {
    state = state * 1664525u + 1013904223u;
    (i < 3 ? acceleration[i] : rate[i - 3]) = static_cast<int16_t>(static_cast<int32_t>(state >> 16) - 32768);
  }
}

// A generator of numbers for the drills themselves.
struct Chance {
  uint32_t state;
  uint32_t below(uint32_t limit) {
    state = state * 1664525u + 1013904223u;
    return static_cast<uint32_t>((static_cast<uint64_t>(state) * limit) >> 32);
  }
};

// Follows the samples that a driver hands out, and holds its overruns against what the sensor really lost.
class Follower {
 public:
  Follower(Imu& imu, const Decoding& decoding) : imu_(imu), decoding_(decoding) {}

  uint32_t next = 0;       // index of the sample that is due
  uint32_t samples = 0;    // seen
  uint32_t told = 0;       // overruns
  uint32_t failed = 0;     // reads
  uint32_t false_alarms = 0;

  // Reads once. A gap may only be before the first sample, and only if it is told.
  ImuRead read(uint16_t capacity = 40) {
    std::vector<int16_t> raw(static_cast<size_t>(capacity + 1) * kChannelCount, 0x7777);
    auto* out = reinterpret_cast<int16_t(*)[kChannelCount]>(raw.data());
    const ImuRead read = imu_.read(out, capacity);
    REQUIRE(read.samples <= capacity);
    REQUIRE(raw[static_cast<size_t>(capacity) * kChannelCount] == 0x7777);
    if (read.failed) {
      REQUIRE(read.samples == 0);
      ++failed;
      return read;
    }
    if (read.overrun) {
      ++told;
      const uint32_t before = next;
      if (read.samples > 0) {
        while (next < before + 100000 && !is(out[0], next)) ++next;
      }
      if (next == before) ++false_alarms;
    }
    for (uint16_t i = 0; i < read.samples; ++i, ++next, ++samples) {
      CAPTURE(next);
      CAPTURE(i);
      REQUIRE(is(out[i], next));
    }
    return read;
  }

 private:
  bool is(const int16_t out[kChannelCount], uint32_t index) const {
    int16_t acceleration[3], rate[3], expected[kChannelCount];
    uint8_t a[6], r[6];
    numbered_sample(nullptr, index, acceleration, rate);
    for (int axis = 0; axis < 3; ++axis) {
      store_u16(a + 2 * axis, static_cast<uint16_t>(acceleration[axis]));
      store_u16(r + 2 * axis, static_cast<uint16_t>(rate[axis]));
    }
    decode_sample(decoding_, a, r, expected);
    return std::memcmp(out, expected, sizeof expected) == 0;
  }

  Imu& imu_;
  Decoding decoding_;
};

}  // namespace hardwear
