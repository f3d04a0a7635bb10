// A stand-in: see README.md beside it.
#pragma once

#include <cstdint>

#define FLASHIAP_APP_ROM_END_ADDR 0x80000

namespace mbed {

class FlashIAP {
 public:
  int init();
  int read(void* buffer, uint32_t address, uint32_t size);
  int program(const void* buffer, uint32_t address, uint32_t size);
  int erase(uint32_t address, uint32_t size);
  uint32_t get_sector_size(uint32_t address) const;
  uint32_t get_flash_start() const;
  uint32_t get_flash_size() const;
  uint32_t get_page_size() const;
  uint8_t get_erase_value() const;
};

}  // namespace mbed
