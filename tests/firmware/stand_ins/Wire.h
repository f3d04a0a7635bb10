// A stand-in: see README.md beside it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace arduino {

class MbedI2C {
 public:
  void begin();
  void setClock(uint32_t frequency);
  void beginTransmission(uint8_t address);
  uint8_t endTransmission();
  uint8_t endTransmission(bool stop);
  size_t requestFrom(uint8_t address, size_t bytes);
  size_t write(uint8_t byte);
  size_t write(const uint8_t* bytes, int count);
  int read();
};

}  // namespace arduino

extern arduino::MbedI2C Wire1;
