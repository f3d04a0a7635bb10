// The Nano 33 BLE Sense's internal I2C bus, which its motion sensor is on.
#pragma once

#include "sensors/i2c_bus.h"

namespace hardwear {

// Arduino's `Wire1` at 400 kHz. The sensors' supply and the bus's pull-ups are on before setup(), by the board's core.
//
// After a transaction that failed, the next one sets the bus up anew first: that clocks out a device which was left in
// the middle of a byte and holds the data line. One thread only, never an interrupt: it waits for the bus.
class WireBus final : public I2cBus {
 public:
  // Call it in setup(), once.
  void begin();

  bool write(uint8_t address, uint8_t reg, const uint8_t* bytes, size_t n) override;
  bool read(uint8_t address, uint8_t reg, uint8_t* bytes, size_t n) override;
  void wait_ms(uint32_t ms) override;

 private:
  bool done(bool well);
  void mend();

  bool failed_ = false;
};

}  // namespace hardwear
