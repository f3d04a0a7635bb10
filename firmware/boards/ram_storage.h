// A flash in RAM, for boards that have none: erased at every start.
#pragma once

#include <cstring>

#include "core/storage.h"

namespace hardwear {

// Two sectors of `kSectorBytes`. As real flash, programming only clears bits. No heap; not from an interrupt.
template <uint32_t kSectorBytes>
class RamStorage final : public Storage {
 public:
  RamStorage() { std::memset(bytes_, 0xFF, sizeof bytes_); }
  uint32_t sectors() const override { return kSectors; }
  uint32_t sector_bytes() const override { return kSectorBytes; }
  uint32_t word_bytes() const override { return 4; }
  bool read(uint32_t offset, uint8_t* out, size_t count) override {
    if (!holds(offset, count)) return false;
    std::memcpy(out, bytes_ + offset, count);
    return true;
  }
  bool erase(uint32_t sector) override {
    if (sector >= kSectors) return false;
    std::memset(bytes_ + sector * kSectorBytes, 0xFF, kSectorBytes);
    return true;
  }
  bool program(uint32_t offset, const uint8_t* bytes, size_t count) override {
    if (!holds(offset, count) || !aligned(offset, count)) return false;
    for (size_t i = 0; i < count; ++i) bytes_[offset + i] &= bytes[i];
    return true;
  }

 private:
  static constexpr uint32_t kSectors = 2;

  uint8_t bytes_[kSectors * kSectorBytes];
};

}  // namespace hardwear
