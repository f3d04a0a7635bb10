// Frames: how bytes on a serial line become whole, checked messages and back (docs/protocol.md, "Frames").
//
// On the wire: 0x00, COBS(version u8, type u8, sequence u16, payload, CRC-32 u32 of all before it), 0x00.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hardwear {

constexpr uint8_t kProtocolVersion = 2;
constexpr size_t kFrameHeaderBytes = 4;
constexpr size_t kFrameOverheadBytes = kFrameHeaderBytes + 4;
constexpr size_t kMaxPayloadBytes = 1600;
constexpr size_t kMaxFrameBytes = kMaxPayloadBytes + kFrameOverheadBytes;

// Bytes on the wire, at most, of a frame with `payload` bytes: COBS adds one byte for every 254 begun, and two
// delimiters stand around it.
constexpr size_t wire_bytes(size_t payload) {
  return payload + kFrameOverheadBytes + (payload + kFrameOverheadBytes) / 254 + 1 + 2;
}

// An intact frame. `payload` points into the receiver and is valid until its next push().
struct Frame {
  uint8_t type;
  uint16_t sequence;
  const uint8_t* payload;
  size_t size;   // of the payload in bytes
  uint32_t crc;
};

enum class FrameStatus : uint8_t {
  kPending,     // the frame goes on
  kFrame,       // frame() is a whole frame
  kBadCobs,     // the frame was cut: a delimiter came inside of a COBS block
  kTooShort,    // fewer bytes than header and CRC
  kTooLong,     // more than kMaxPayloadBytes of payload
  kBadCrc,      // damaged on its way
  kBadVersion,  // frame() is whole, but of another protocol version
};

// Takes bytes one by one and tells when a frame ends and whether it is intact. Whatever comes, the next delimiter
// makes it ready for the next frame. Bytes from an interrupt go through a ByteRing first.
class FrameReceiver {
 public:
  FrameStatus push(uint8_t byte);

  // The frame that push() last returned kFrame or kBadVersion for.
  const Frame& frame() const { return frame_; }

 private:
  FrameStatus finish();
  void put(uint8_t byte);

  uint8_t bytes_[kMaxFrameBytes];
  size_t size_ = 0;
  uint8_t left_in_block_ = 0;      // COBS: bytes until the next code byte
  bool zero_after_block_ = false;  // COBS: the block stood for a zero too (code below 255)
  bool started_ = false;           // a byte came since the last delimiter
  bool too_long_ = false;
  Frame frame_ = {};
};

// Builds a frame field by field in a buffer of the caller, which holds the raw frame, not its COBS form. Fields that
// don't fit are left out and make finish() return 0, so that no half frame is ever sent.
class FrameWriter {
 public:
  FrameWriter(uint8_t* buffer, size_t capacity) : buffer_(buffer), capacity_(capacity) {}

  void begin(uint8_t type, uint16_t sequence);
  void u8(uint8_t value);
  void i8(const int8_t* values, size_t count);
  void u16(uint16_t value);
  void u32(uint32_t value);
  void bytes(const uint8_t* values, size_t count);
  // `text` without its NUL.
  void text(const char* text);
  // `text` in a field of `width` bytes, cut to width - 1 and padded with NUL.
  void padded_text(const char* text, size_t width);

  // Appends the CRC. Returns the size of the raw frame in bytes, 0 if it did not fit.
  size_t finish();

 private:
  uint8_t* buffer_;
  size_t capacity_;
  size_t size_ = 0;
  bool fits_ = true;
};

// Puts a raw frame of `size` bytes into COBS and between delimiters. `out` holds wire_bytes(size - 8) bytes.
// Returns the bytes written.
size_t encode_wire(const uint8_t* frame, size_t size, uint8_t* out);

}  // namespace hardwear
