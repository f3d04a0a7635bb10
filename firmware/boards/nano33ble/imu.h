// The Nano 33 BLE Sense's motion sensor, an LSM9DS1, as samples in contract counts.
#pragma once

#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

struct TimedSample {
  uint32_t time_us;  // when it was read, micros()
  int16_t counts[kChannelCount];
};

// Starts the sensor at its 119 Hz and a thread that reads it, so that neither an inference nor a slow host costs a
// sample. Returns false if there is no LSM9DS1: the Nano 33 BLE without "Sense" has none, the Rev2 has another one.
// Call it once.
bool imu_begin();

// Takes the oldest sample that waits. Returns false if none does. Up to half a second of samples can wait.
bool imu_read(TimedSample* out);

// Samples lost since start because nobody took them in time.
uint32_t imu_overruns();

}  // namespace hardwear
