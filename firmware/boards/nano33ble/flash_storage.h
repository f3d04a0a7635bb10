// Two sectors of the Nano 33 BLE's own flash that nobody else uses.
#pragma once

#include <Arduino.h>  // first: it configures Mbed OS

#include <FlashIAP.h>

#include "core/storage.h"

namespace hardwear {

// 0xDE000 to 0xDFFFF of the nRF52840's 1 MB. The linker script gives the program everything from 0x10000 to the end of
// the flash, so it leaves nothing free by itself; the program fills less than half of it from below. Further up not all
// is free on every board: one whose bootloader was updated (Arduino's example Nano33_updateBLandSoftDevice) has a copy
// of the SoftDevice at 0xA0000 to 0xC5DE7, the bootloader at 0xE0000 and the SoftDevice's length at 0xFF000. These
// two sectors lie below that bootloader and above that copy.
//
// An upload leaves them alone: the bootloader that the core carries (2.0 [Arduino:IKXYZ]) erases the pages that it
// writes, and answers the command to erase everything without doing so.
//
// Erasing a sector stops the CPU for up to 85 ms, programming a word for up to 41 us (nRF52840 product specification,
// NVMC): the sensor's FIFO has to bridge that, and it does. Not callable from an interrupt.
class FlashStorage final : public Storage {
 public:
  static constexpr uint32_t kBegin = 0xDE000;
  static constexpr uint32_t kSectorBytes = 4096;
  static constexpr uint32_t kSectors = 2;

  // Call it once before anything else. Returns false, and the others do from then on, if the flash is not laid out like
  // that or the program reaches into the sectors.
  bool begin();

  uint32_t sectors() const override { return kSectors; }
  uint32_t sector_bytes() const override { return kSectorBytes; }
  uint32_t word_bytes() const override { return 4; }
  bool read(uint32_t offset, uint8_t* out, size_t count) override;
  bool erase(uint32_t sector) override;
  bool program(uint32_t offset, const uint8_t* bytes, size_t count) override;

 private:
  mbed::FlashIAP flash_;
  bool ready_ = false;
};

}  // namespace hardwear
