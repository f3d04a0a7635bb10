// One sensor's registers on a bus.
#pragma once

#include <cstdint>

#include "sensors/i2c_bus.h"

namespace hardwear {

struct Setting {
  uint8_t reg;
  uint8_t value;
};

class Registers {
 public:
  Registers(I2cBus& bus, uint8_t address) : bus_(bus), address_(address) {}

  bool get(uint8_t reg, uint8_t* value) { return bus_.read(address_, reg, value, 1); }
  bool get(uint8_t reg, uint8_t* bytes, size_t n) { return bus_.read(address_, reg, bytes, n); }
  bool set(uint8_t reg, uint8_t value) { return bus_.write(address_, reg, &value, 1); }
  bool set(uint8_t reg, const uint8_t* bytes, size_t n) { return bus_.write(address_, reg, bytes, n); }

  // Writes settings in order and reads each back. Returns false if one did not hold, or the bus failed.
  template <size_t kCount>
  bool hold(const Setting (&settings)[kCount]) {
    for (const Setting& setting : settings) {
      uint8_t held = 0;
      if (!set(setting.reg, setting.value) || !get(setting.reg, &held) || held != setting.value) return false;
    }
    return true;
  }

  void wait_ms(uint32_t ms) { bus_.wait_ms(ms); }

 private:
  I2cBus& bus_;
  uint8_t address_;
};

}  // namespace hardwear
