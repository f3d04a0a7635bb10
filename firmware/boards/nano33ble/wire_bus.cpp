#include "boards/nano33ble/wire_bus.h"

#include <Arduino.h>
#include <Wire.h>

namespace hardwear {
namespace {

constexpr uint32_t kClockHz = 400000;

// MbedI2C's buffers; a write's register number goes into the same one as its bytes.
constexpr size_t kWireBufferBytes = 256;
static_assert(I2cBus::kMaxBytes + 1 <= kWireBufferBytes, "what doesn't fit, Wire drops without a word");

}  // namespace

void WireBus::begin() {
  Wire1.begin();
  Wire1.setClock(kClockHz);
}

void WireBus::mend() {
  if (!failed_) return;
  begin();  // ends the old one; Mbed's I2C clocks the bus free when it is made
  failed_ = false;
}

bool WireBus::done(bool well) {
  failed_ = !well;
  return well;
}

bool WireBus::write(uint8_t address, uint8_t reg, const uint8_t* bytes, size_t n) {
  if (n == 0 || n > kMaxBytes) return false;
  mend();
  Wire1.beginTransmission(address);
  const bool buffered = Wire1.write(reg) == 1 && Wire1.write(bytes, static_cast<int>(n)) == n;
  return done(Wire1.endTransmission() == 0 && buffered);
}

bool WireBus::read(uint8_t address, uint8_t reg, uint8_t* bytes, size_t n) {
  if (n == 0 || n > kMaxBytes) return false;
  mend();
  Wire1.beginTransmission(address);
  Wire1.write(reg);
  // Without a stop, so that nothing comes between the register's number and its value.
  if (Wire1.endTransmission(false) != 0) return done(false);
  if (Wire1.requestFrom(address, n) != n) return done(false);
  for (size_t i = 0; i < n; ++i) {
    const int byte = Wire1.read();
    if (byte < 0) return done(false);
    bytes[i] = static_cast<uint8_t>(byte);
  }
  return done(true);
}

void WireBus::wait_ms(uint32_t ms) { delay(ms); }

}  // namespace hardwear
