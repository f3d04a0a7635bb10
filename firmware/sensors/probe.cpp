#include "sensors/probe.h"

namespace hardwear {
namespace {

// The sensors are switched on with the board and need a while themselves.
constexpr uint8_t kTries = 4;
constexpr uint32_t kPauseMs = 20;

bool identifies(I2cBus& bus, uint8_t address, uint8_t reg, uint8_t expected) {
  uint8_t id = 0;
  return bus.read(address, reg, &id, 1) && id == expected;
}

}  // namespace

Imu* probe(I2cBus& bus, Lsm9ds1& lsm9ds1, Bmi270& bmi270) {
  for (uint8_t attempt = 0; attempt < kTries; ++attempt) {
    if (attempt > 0) bus.wait_ms(kPauseMs);
    if (identifies(bus, Lsm9ds1::kAddress, Lsm9ds1::kIdRegister, Lsm9ds1::kId)) return &lsm9ds1;
    if (identifies(bus, Bmi270::kAddress, Bmi270::kIdRegister, Bmi270::kId)) return &bmi270;
  }
  return nullptr;
}

}  // namespace hardwear
