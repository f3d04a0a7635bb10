// The Nano 33 BLE's RGB LED, and the green one that burns as long as there is power.
#pragma once

#include "core/led.h"

namespace hardwear {

// Sets the pins up: all dark.
void rgb_led_begin();

// Shows a colour; cheap when it is the one that shows already.
void rgb_led_show(Color color);

// The power LED takes more current than the chip asleep.
void power_led(bool on);

}  // namespace hardwear
