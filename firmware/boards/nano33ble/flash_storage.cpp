#include "boards/nano33ble/flash_storage.h"

namespace hardwear {

bool FlashStorage::begin() {
  if (ready_) return true;
  if (flash_.init() != 0) return false;
  const uint32_t end = kBegin + kSectors * kSectorBytes;
  const uint32_t program_end = FLASHIAP_APP_ROM_END_ADDR;
  ready_ = program_end <= kBegin && flash_.get_flash_start() <= kBegin &&
           end <= flash_.get_flash_start() + flash_.get_flash_size() &&
           flash_.get_sector_size(kBegin) == kSectorBytes && word_bytes() % flash_.get_page_size() == 0 &&
           flash_.get_erase_value() == 0xFF;
  return ready_;
}

bool FlashStorage::read(uint32_t offset, uint8_t* out, size_t count) {
  return ready_ && holds(offset, count) && flash_.read(out, kBegin + offset, count) == 0;
}

bool FlashStorage::erase(uint32_t sector) {
  return ready_ && sector < kSectors && flash_.erase(kBegin + sector * kSectorBytes, kSectorBytes) == 0;
}

bool FlashStorage::program(uint32_t offset, const uint8_t* bytes, size_t count) {
  return ready_ && holds(offset, count) && aligned(offset, count) &&
         flash_.program(bytes, kBegin + offset, count) == 0;
}

}  // namespace hardwear
