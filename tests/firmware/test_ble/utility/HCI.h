// Part of the stand-in of ../ArduinoBLE.h.
#pragma once

#include <cstdint>
#include <vector>

class HCIClass {
 public:
  void sendAclPkt(const std::vector<uint8_t>& packet) {
    if (_pendingPkt >= _maxPkt) {
      hung = true;  // the real one would wait here
      return;
    }
    ++_pendingPkt;
    sent.push_back(packet);
  }

  // For the test.
  void acknowledge(uint8_t packets) { _pendingPkt = _pendingPkt > packets ? static_cast<uint8_t>(_pendingPkt - packets) : 0; }
  void set_room(uint8_t packets) { _maxPkt = packets; }
  uint8_t pending() const { return _pendingPkt; }
  bool hung = false;
  std::vector<std::vector<uint8_t>> sent;

 private:
  uint8_t _maxPkt = 4;
  uint8_t _pendingPkt = 0;
};

static HCIClass HCI;
