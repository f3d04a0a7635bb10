// Part of the stand-in of ../ArduinoBLE.h.
#pragma once

#include <cstdint>
#include <vector>

#include "HCI.h"

class ATTClass {
 public:
  bool connected(uint16_t handle) const { return handle == link; }
  bool paired(uint16_t handle) const { return handle == link && encrypted; }
  uint16_t mtu(uint16_t handle) const { return handle == link ? link_mtu : 23; }

  int handleNotify(uint16_t handle, const uint8_t* value, int length) {
    if (link == 0xFFFF) return 0;
    if (link_mtu < 3) overflown = true;  // the real one makes a packet of the MTU's size, and writes three bytes
    std::vector<uint8_t> packet = {0x1b, static_cast<uint8_t>(handle), static_cast<uint8_t>(handle >> 8)};
    packet.insert(packet.end(), value, value + (length < link_mtu - 3 ? length : link_mtu - 3));
    HCI.sendAclPkt(packet);
    return length;
  }

  // For the test.
  uint16_t link = 0xFFFF;
  uint16_t link_mtu = 23;
  bool encrypted = false;
  bool overflown = false;
};

static ATTClass ATT;

inline int BLELocalCharacteristic::writeValue(const uint8_t* bytes, int size) {
  const int room = static_cast<int>(value_.size());
  const int taken = size < room ? size : room;
  for (int i = 0; i < taken; ++i) value_[static_cast<size_t>(i)] = bytes[i];
  _valueLength = static_cast<uint16_t>(fixed_length_ ? room : taken);
  if ((properties_ & 0x10) != 0 && (cccd & 1) != 0) return ATT.handleNotify(valueHandle(), value_.data(), _valueLength);
  return _valueLength;
}
