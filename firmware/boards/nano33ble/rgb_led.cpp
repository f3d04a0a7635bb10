#include "boards/nano33ble/rgb_led.h"

#include <Arduino.h>

#include <initializer_list>

namespace hardwear {
namespace {

Color shown;

// The three LEDs are wired to the supply: low is on.
void set(pin_size_t pin, bool on) { digitalWrite(pin, on ? LOW : HIGH); }

}  // namespace

void rgb_led_begin() {
  for (const pin_size_t pin : {LEDR, LEDG, LEDB}) {
    set(pin, false);
    pinMode(pin, OUTPUT);
    set(pin, false);
  }
  pinMode(LED_PWR, OUTPUT);
  shown = {false, false, false};
}

void rgb_led_show(Color color) {
  if (color.red == shown.red && color.green == shown.green && color.blue == shown.blue) return;
  set(LEDR, color.red);
  set(LEDG, color.green);
  set(LEDB, color.blue);
  shown = color;
}

void power_led(bool on) { digitalWrite(LED_PWR, on ? HIGH : LOW); }

}  // namespace hardwear
