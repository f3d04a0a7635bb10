#include "boards/nano33ble/usb_serial.h"

#include <Arduino.h>
#include <USB/PluggableUSBSerial.h>

namespace hardwear {
namespace {

constexpr uint32_t kPatienceMs = 250;

// One less than a full packet: a transfer that ends with a full one is not over for the host.
constexpr size_t kPacketBytes = CDC_MAX_PACKET_SIZE - 1;

}  // namespace

bool usb_connected() { return _SerialUSB.connected(); }

size_t usb_read(uint8_t* out, size_t max) {
  size_t count = 0;
  while (count < max && _SerialUSB.available() > 0) out[count++] = static_cast<uint8_t>(_SerialUSB.read());
  return count;
}

bool usb_waiting() { return _SerialUSB.available() > 0; }

void usb_write(const uint8_t* bytes, size_t count) {
  // Arduino's Serial is this object with a write() that waits for ever for a host that holds the port and doesn't read.
  uint32_t moved = millis();
  while (count > 0 && usb_connected()) {
    uint32_t taken = 0;
    const size_t size = count < kPacketBytes ? count : kPacketBytes;
    _SerialUSB.send_nb(const_cast<uint8_t*>(bytes), static_cast<uint32_t>(size), &taken, true);
    bytes += taken;
    count -= taken;
    if (taken > 0) {
      moved = millis();
    } else if (millis() - moved > kPatienceMs) {
      return;
    } else {
      yield();
    }
  }
}

}  // namespace hardwear
