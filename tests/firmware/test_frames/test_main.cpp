#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <string>

#include "../../vectors/frames.h"
#include "../fakes.h"

namespace hardwear {
namespace {

using Bytes = std::vector<uint8_t>;

TEST_CASE("the CRC is zlib's, in one piece or in several") {
  const uint8_t text[] = "123456789";
  CHECK(crc32(text, 9) == 0xCBF43926u);  // the check value of CRC-32/ISO-HDLC
  CHECK(crc32(text + 4, 5, crc32(text, 4)) == 0xCBF43926u);
  CHECK(crc32(text, 0) == 0);
}

TEST_CASE("every reference frame encodes to its bytes and decodes from them") {
  for (const vectors::FrameVector& vector : vectors::kFrames) {
    CAPTURE(vector.name);
    const Bytes payload = from_hex(vector.payload);
    const Bytes wire = from_hex(vector.wire);
    CHECK(encode(vector.type, vector.sequence, payload) == wire);
    CHECK(wire.size() <= wire_bytes(payload.size()));
    const std::vector<Message> received = messages(wire);
    REQUIRE(received.size() == 1);
    CHECK(received[0].status == FrameStatus::kFrame);
    CHECK(received[0].type == vector.type);
    CHECK(received[0].sequence == vector.sequence);
    CHECK(received[0].payload == payload);
  }
}

TEST_CASE("every reference line is received as Python receives it") {
  for (const vectors::LineVector& vector : vectors::kLines) {
    CAPTURE(vector.name);
    Bytes statuses;
    for (const Message& message : messages(from_hex(vector.wire))) {
      statuses.push_back(static_cast<uint8_t>(message.status));
    }
    CHECK(statuses == from_hex(vector.statuses));
  }
}

TEST_CASE("no flipped bit and no missing byte passes for a whole frame") {
  const Bytes wire = encode(0x03, 0x1234, {1, 2, 0, 0, 5, 6, 7});
  for (size_t bit = 8; bit < (wire.size() - 1) * 8; ++bit) {  // the delimiters stay
    Bytes flipped = wire;
    flipped[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    for (const Message& message : messages(flipped)) CHECK(message.status != FrameStatus::kFrame);
  }
  for (size_t i = 1; i + 1 < wire.size(); ++i) {
    Bytes cut = wire;
    cut.erase(cut.begin() + static_cast<std::ptrdiff_t>(i));
    for (const Message& message : messages(cut)) CHECK(message.status != FrameStatus::kFrame);
  }
}

TEST_CASE("after any bytes a delimiter and a frame are received") {
  const Bytes good = encode(0x01, 77, {});
  uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    Bytes line;
    for (int i = 0; i < round; ++i) {
      state = state * 1664525u + 1013904223u;
      line.push_back(static_cast<uint8_t>(state >> 24));
    }
    line.insert(line.end(), good.begin(), good.end());
    const std::vector<Message> received = messages(line);
    REQUIRE(!received.empty());
    REQUIRE(received.back().status == FrameStatus::kFrame);
    REQUIRE(received.back().sequence == 77);
  }
}

TEST_CASE("a writer whose buffer is too small makes no frame") {
  uint8_t buffer[kFrameOverheadBytes + 3];
  FrameWriter writer(buffer, sizeof buffer);
  writer.begin(1, 1);
  writer.u16(1);
  writer.u8(1);
  CHECK(writer.finish() == sizeof buffer);
  writer.begin(1, 1);
  writer.u32(1);
  CHECK(writer.finish() == 0);
}

TEST_CASE("a text field is cut and always ends in NUL") {
  uint8_t buffer[64];
  FrameWriter writer(buffer, sizeof buffer);
  writer.begin(1, 1);
  writer.padded_text("four", 6);
  writer.padded_text("much too long", 6);
  REQUIRE(writer.finish() == kFrameOverheadBytes + 12);
  CHECK(std::string(buffer + kFrameHeaderBytes, buffer + kFrameHeaderBytes + 12) == std::string("four\0\0much \0", 12));
}

}  // namespace
}  // namespace hardwear
