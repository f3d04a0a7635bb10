// What the wearer can set: one record for BLE, serial and flash.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/smoother.h"

namespace hardwear {

struct Config {
  uint8_t smoothing = 1;     // a window counts 1 / 2^smoothing in the label, 0 to Smoother::kMaxSmoothing
  uint8_t threshold = 128;   // probability in 255ths below which nothing is named
  uint8_t notify_every = 1;  // a prediction is notified every so many windows, 1 to 255
  bool led = true;           // the RGB LED shows anything at all
  bool low_power = false;    // the sensor sleeps after 30 s of stillness, until it is moved
};

constexpr uint8_t kConfigVersion = 1;
constexpr size_t kConfigBytes = 6;

// Writes version, smoothing, threshold, notify_every, led (0 or 1), low_power (bit 0).
void encode_config(const Config& config, uint8_t out[kConfigBytes]);

// Reads what encode_config() writes, and checks it: exactly kConfigBytes, this version, every value in its range, no
// other bits. Returns false, with `*config` as it was, for anything else. Reads `size` bytes at most. May be called
// from anywhere.
bool parse_config(const uint8_t* bytes, size_t size, Config* config);

bool operator==(const Config& a, const Config& b);
inline bool operator!=(const Config& a, const Config& b) { return !(a == b); }

}  // namespace hardwear
