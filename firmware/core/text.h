// Short lines of text without printf and without a heap.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hardwear {

// Builds a line in a buffer of the caller; what doesn't fit is cut, the NUL always stands. Returns itself, so that
// parts follow one another: TextLine(buffer, sizeof buffer).text("logit ").number(3).
class TextLine {
 public:
  TextLine(char* buffer, size_t capacity) : buffer_(buffer), capacity_(capacity) { buffer_[0] = '\0'; }

  TextLine& text(const char* part) {
    for (; *part != '\0'; ++part) put(*part);
    return *this;
  }

  TextLine& number(int64_t value) {
    if (value < 0) put('-');
    uint64_t rest = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
    char digits[20];
    size_t count = 0;
    do digits[count++] = static_cast<char>('0' + rest % 10);
    while ((rest /= 10) != 0);
    while (count > 0) put(digits[--count]);
    return *this;
  }

  // `digits` hexadecimal digits of `value`, the lowest ones, leading zeros included.
  TextLine& hex(uint32_t value, int digits) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) put("0123456789abcdef"[(value >> shift) & 15]);
    return *this;
  }

 private:
  void put(char c) {
    if (size_ + 1 >= capacity_) return;
    buffer_[size_++] = c;
    buffer_[size_] = '\0';
  }

  char* buffer_;
  size_t capacity_;
  size_t size_ = 0;
};

}  // namespace hardwear
