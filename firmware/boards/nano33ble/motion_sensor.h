// The Nano 33 BLE Sense's motion sensor, whichever revision it is, read by a thread of its own.
#pragma once

#include "core/acquisition.h"
#include "core/packets.h"

namespace hardwear {

// Finds the sensor, starts it, and begins to read it every 50 ms in a thread above the main loop's priority. Returns which
// one it is: kNone on the Nano 33 BLE without "Sense". Call it in setup(), once; `acquisition` lives for ever.
ImuKind begin_motion_sensor(Acquisition* acquisition);

}  // namespace hardwear
