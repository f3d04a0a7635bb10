// A few sectors of flash, whatever board they are on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hardwear {

// NOR flash: erasing a sector sets its bytes to 0xFF, programming can only clear bits. Offsets count from the first
// sector's begin. Whoever implements it refuses what lies outside: holds() and aligned() tell.
//
// Not callable from an interrupt, and not while another call is under way: erasing stops a board for up to 100 ms.
class Storage {
 public:
  virtual uint32_t sectors() const = 0;
  virtual uint32_t sector_bytes() const = 0;  // erased together
  virtual uint32_t word_bytes() const = 0;    // programmed together, once between two erasures

  // Each returns false, with nothing promised about what it should have done, if that is outside or the flash fails.
  virtual bool read(uint32_t offset, uint8_t* out, size_t count) = 0;
  virtual bool erase(uint32_t sector) = 0;
  virtual bool program(uint32_t offset, const uint8_t* bytes, size_t count) = 0;

  // True if bytes [offset, offset + count) lie inside.
  bool holds(uint32_t offset, size_t count) const {
    const uint32_t size = sectors() * sector_bytes();
    return offset <= size && count <= size - offset;
  }

  // True if program() may be called so.
  bool aligned(uint32_t offset, size_t count) const { return offset % word_bytes() == 0 && count % word_bytes() == 0; }

 protected:
  ~Storage() = default;
};

}  // namespace hardwear
