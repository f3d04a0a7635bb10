// Which motion sensor is on the bus.
#pragma once

#include "core/imu.h"
#include "sensors/bmi270.h"
#include "sensors/i2c_bus.h"
#include "sensors/lsm9ds1.h"

namespace hardwear {

// Asks for each sensor's identity where that sensor would be, and returns the driver of the one that tells its own;
// null if none does within 60 ms. Reads only: call the driver's begin() then. The board's two revisions can't be told
// apart by anything else. Waits; not from an interrupt.
Imu* probe(I2cBus& bus, Lsm9ds1& lsm9ds1, Bmi270& bmi270);

}  // namespace hardwear
