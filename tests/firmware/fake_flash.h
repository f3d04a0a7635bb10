// Flash for tests: it can lose power at any step, wears out, rots, and knows what it must not be asked.
#pragma once

#include <cstring>
#include <vector>

#include "core/storage.h"

namespace hardwear {

class FakeFlash final : public Storage {
 public:
  static constexpr uint32_t kSectorBytes = 512;  // eight records
  static constexpr uint32_t kSectors = 2;

  uint32_t sectors() const override { return kSectors; }
  uint32_t sector_bytes() const override { return kSectorBytes; }
  uint32_t word_bytes() const override { return word; }

  bool read(uint32_t offset, uint8_t* out, size_t count) override {
    if (!powered() || fails_reads || !inside(offset, count)) return false;
    std::memcpy(out, bytes.data() + offset, count);
    return true;
  }

  // Each byte takes one step. What is half erased reads as neither old nor blank.
  bool erase(uint32_t sector) override {
    if (!powered() || fails_erasures) return false;
    if (sector >= kSectors) return refuse();
    ++erasures[sector];
    uint8_t* begin = bytes.data() + sector * kSectorBytes;
    for (uint32_t i = 0; i < kSectorBytes; ++i) {
      if (!step()) {
        begin[i] = static_cast<uint8_t>(begin[i] | 0x5A);
        return false;
      }
      begin[i] = 0xFF;
      programmed[sector * kSectorBytes + i] = false;
    }
    return true;
  }

  // Each byte takes one step; the one that power is lost at gets half of its bits.
  bool program(uint32_t offset, const uint8_t* from, size_t count) override {
    if (!powered()) return false;
    if (!inside(offset, count)) return false;
    if (!aligned(offset, count)) return refuse();
    for (size_t i = 0; i < count; ++i) {
      if (programmed[offset + i] && !torn[(offset + i) / word]) programmed_twice = true;
      const uint8_t now = bytes[offset + i] & from[i];
      if (!step()) {
        bytes[offset + i] = static_cast<uint8_t>(bytes[offset + i] & (from[i] | 0xF0));
        torn[(offset + i) / word] = true;
        return false;
      }
      bytes[offset + i] = now & static_cast<uint8_t>(~stuck_low);
      programmed[offset + i] = true;
    }
    return true;
  }

  // Power is lost at the step after so many more, and comes back with restore_power().
  void lose_power_after(size_t count) { steps_left = count; }
  void restore_power() { steps_left = kForEver; }
  bool powered() const { return steps_left > 0; }

  static constexpr size_t kForEver = ~size_t{0};

  std::vector<uint8_t> bytes = std::vector<uint8_t>(kSectors * kSectorBytes, 0xFF);
  std::vector<bool> programmed = std::vector<bool>(kSectors * kSectorBytes, false);
  std::vector<bool> torn = std::vector<bool>(kSectors * kSectorBytes, false);
  uint32_t word = 4;
  uint32_t erasures[kSectors] = {};
  size_t steps = 0;
  size_t steps_left = kForEver;
  uint8_t stuck_low = 0;  // bits that programming always clears: a worn-out cell
  bool fails_reads = false;
  bool fails_erasures = false;
  bool asked_outside = false;  // somebody read or wrote past the end, or not in whole words
  bool programmed_twice = false;

 private:
  bool step() {
    if (steps_left == kForEver) {
      ++steps;
      return true;
    }
    if (--steps_left == 0) return false;
    ++steps;
    return true;
  }

  bool inside(uint32_t offset, size_t count) { return holds(offset, count) || refuse(); }

  bool refuse() {
    asked_outside = true;
    return false;
  }
};

}  // namespace hardwear
