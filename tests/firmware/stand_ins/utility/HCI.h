// A stand-in: see README.md in stand_ins/.
#pragma once

#include <cstdint>

class HCIClass {
 private:
  uint8_t _maxPkt;
  uint8_t _pendingPkt;
};
extern HCIClass& HCI;
