#include "core/frames.h"

#include <cstring>

#include "core/bytes.h"
#include "core/crc32.h"

namespace hardwear {

FrameStatus FrameReceiver::push(uint8_t byte) {
  if (byte == 0) {
    const FrameStatus status = finish();
    size_ = 0;
    left_in_block_ = 0;
    zero_after_block_ = false;
    started_ = false;
    too_long_ = false;
    return status;
  }
  if (left_in_block_ == 0) {  // a code byte: how far the next zero is
    if (started_ && zero_after_block_) put(0);
    left_in_block_ = static_cast<uint8_t>(byte - 1);
    zero_after_block_ = byte != 0xFF;
    started_ = true;
  } else {
    put(byte);
    --left_in_block_;
  }
  return FrameStatus::kPending;
}

void FrameReceiver::put(uint8_t byte) {
  if (size_ < sizeof bytes_) {
    bytes_[size_++] = byte;
  } else {
    too_long_ = true;
  }
}

FrameStatus FrameReceiver::finish() {
  if (!started_) return FrameStatus::kPending;  // delimiters in a row
  if (too_long_) return FrameStatus::kTooLong;
  if (left_in_block_ != 0) return FrameStatus::kBadCobs;
  if (size_ < kFrameOverheadBytes) return FrameStatus::kTooShort;
  const size_t checked = size_ - 4;
  const uint32_t crc = load_u32(bytes_ + checked);
  if (crc32(bytes_, checked) != crc) return FrameStatus::kBadCrc;
  frame_ = {bytes_[1], load_u16(bytes_ + 2), bytes_ + kFrameHeaderBytes, checked - kFrameHeaderBytes, crc};
  return bytes_[0] == kProtocolVersion ? FrameStatus::kFrame : FrameStatus::kBadVersion;
}

void FrameWriter::begin(uint8_t type, uint16_t sequence) {
  size_ = 0;
  fits_ = true;
  u8(kProtocolVersion);
  u8(type);
  u16(sequence);
}

void FrameWriter::u8(uint8_t value) { bytes(&value, 1); }

void FrameWriter::i8(const int8_t* values, size_t count) {
  bytes(reinterpret_cast<const uint8_t*>(values), count);
}

void FrameWriter::u16(uint16_t value) {
  uint8_t field[2];
  store_u16(field, value);
  bytes(field, sizeof field);
}

void FrameWriter::u32(uint32_t value) {
  uint8_t field[4];
  store_u32(field, value);
  bytes(field, sizeof field);
}

void FrameWriter::bytes(const uint8_t* values, size_t count) {
  if (count > capacity_ - size_) {
    fits_ = false;
    return;
  }
  if (count == 0) return;  // memcpy takes no null pointer, not even for nothing
  std::memcpy(buffer_ + size_, values, count);
  size_ += count;
}

void FrameWriter::text(const char* text) { bytes(reinterpret_cast<const uint8_t*>(text), std::strlen(text)); }

void FrameWriter::padded_text(const char* text, size_t width) {
  for (size_t i = 0; i < width; ++i) {
    const bool within = *text != '\0' && i + 1 < width;
    u8(within ? static_cast<uint8_t>(*text++) : 0);
  }
}

size_t FrameWriter::finish() {
  u32(crc32(buffer_, size_));
  return fits_ ? size_ : 0;
}

size_t encode_wire(const uint8_t* frame, size_t size, uint8_t* out) {
  size_t end = 0;
  out[end++] = 0;  // ends whatever half frame the line still holds
  size_t code_at = end++;
  uint8_t code = 1;
  for (size_t i = 0; i < size; ++i) {
    if (frame[i] != 0) {
      out[end++] = frame[i];
      ++code;
    }
    const bool more = i + 1 < size;
    if (frame[i] == 0 || (code == 0xFF && more)) {
      out[code_at] = code;
      code_at = end++;
      code = 1;
    }
  }
  out[code_at] = code;
  out[end++] = 0;
  return end;
}

}  // namespace hardwear
