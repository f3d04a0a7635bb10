// A stand-in: see README.md in stand_ins/.
#pragma once

#include <cstdint>

class ATTClass {
 public:
  bool connected(uint16_t handle) const;
  bool paired(uint16_t handle) const;
  uint16_t mtu(uint16_t handle) const;
  bool handleNotify(uint16_t handle, const uint8_t* value, int length);
};
extern ATTClass& ATT;
