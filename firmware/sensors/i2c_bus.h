// The I2C bus as a sensor's driver sees it: registers behind addresses.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hardwear {

// A board implements it over its bus. Drivers call it from one thread, never from an interrupt.
class I2cBus {
 public:
  // The most bytes that one transaction carries beside the register's number. Arduino's buffers hold 256 on the Nano.
  static constexpr size_t kMaxBytes = 250;

  // Writes `n` bytes, 1 to kMaxBytes, to the device with the 7-bit address, from register `reg` on. Returns false if
  // any byte was not acknowledged; the device may then have taken some of them.
  virtual bool write(uint8_t address, uint8_t reg, const uint8_t* bytes, size_t n) = 0;

  // Reads `n` bytes, 1 to kMaxBytes, from register `reg` on, after a repeated start. Returns false unless all of them
  // came; `bytes` is then unspecified, and the device may have handed some of them out.
  virtual bool read(uint8_t address, uint8_t reg, uint8_t* bytes, size_t n) = 0;

  // Waits at least so long.
  virtual void wait_ms(uint32_t ms) = 0;

 protected:
  ~I2cBus() = default;
};

}  // namespace hardwear
