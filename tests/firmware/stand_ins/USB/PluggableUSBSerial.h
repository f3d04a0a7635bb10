// A stand-in: see README.md beside it.
#pragma once

#include <cstddef>
#include <cstdint>

#define CDC_MAX_PACKET_SIZE 64

namespace arduino {

class USBSerial {
 public:
  bool connected();
  int available();
  int read();
  void send_nb(uint8_t* buffer, uint32_t size, uint32_t* actual, bool now = true);
};

}  // namespace arduino

extern arduino::USBSerial _SerialUSB;
