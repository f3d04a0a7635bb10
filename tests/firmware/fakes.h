// A board and an engine for tests: time that the test sets, bytes that it reads, answers that it can foretell.
#pragma once

#include <cstring>
#include <vector>

#include "core/board.h"
#include "core/bytes.h"
#include "core/classifier.h"
#include "core/crc32.h"
#include "core/frames.h"

namespace hardwear {

class FakeBoard final : public Board {
 public:
  const char* name() const override { return "a name of more than 15 characters"; }
  // Each look at the clock finds that 1000 units have passed.
  uint32_t now() override { return time += 1000; }
  TimeUnit time_unit() const override { return TimeUnit::kInstructions; }
  void send(const uint8_t* bytes, size_t count) override { sent.insert(sent.end(), bytes, bytes + count); }
  uint16_t receive_capacity() const override { return 2048; }
  uint32_t receive_overruns() override { return 17; }
  uint32_t stack_high_water_bytes() override { return 1234; }

  std::vector<uint8_t> take() {
    std::vector<uint8_t> taken;
    taken.swap(sent);
    return taken;
  }

  uint32_t time = 0xFFFFFF00u;  // wraps at the first look
  std::vector<uint8_t> sent;
};

// An engine whose outputs follow from a checksum of the window: another window, another answer.
class FakeClassifier final : public Classifier {
 public:
  const char* name() const override { return "fake"; }
  bool begin() override { return starts; }
  uint32_t arena_bytes() const override { return 77; }

  bool classify(const int8_t* window, Inference* out) override {
    windows.emplace_back(window, window + kWindowSamples * kChannelCount);
    if (windows.size() == fails_at) return false;
    *out = expected(windows.back());
    if (wrong_logit >= 0) ++out->logits[wrong_logit];
    if (wrong_embedding >= 0) ++out->embedding[wrong_embedding];
    return true;
  }

  bool classify_next(uint32_t stream, const int8_t* window, Inference* out) override {
    const bool answered = classify(window, out);
    streams.push_back(stream);
    return answered;
  }

  static Inference expected(const std::vector<int8_t>& window) {
    uint32_t state = crc32(reinterpret_cast<const uint8_t*>(window.data()), window.size());
    const auto next = [&state] {
      state = state * 1664525u + 1013904223u;
      return static_cast<int8_t>(static_cast<int32_t>(state >> 24) - 128);
    };
    Inference out;
    for (int8_t& value : out.logits) value = next();
    for (int8_t& value : out.embedding) value = next();
    return out;
  }

  bool starts = true;
  size_t fails_at = 0;  // which call of classify() fails, from 1; 0 for none
  int wrong_logit = -1;
  int wrong_embedding = -1;
  std::vector<std::vector<int8_t>> windows;  // all that were asked for
  std::vector<uint32_t> streams;             // of those that belong to one
};

// A recording without pattern, the same in every run.
inline std::vector<int16_t> noise(size_t samples, uint32_t seed) {
  std::vector<int16_t> out;
  uint32_t state = seed;
  for (size_t i = 0; i < samples * kChannelCount; ++i) {
    state = state * 1664525u + 1013904223u;
    out.push_back(static_cast<int16_t>(static_cast<int32_t>(state >> 16) - 32768));
  }
  return out;
}

struct Message {
  FrameStatus status;
  uint8_t type;
  uint16_t sequence;
  std::vector<uint8_t> payload;
};

// What a receiver makes of bytes.
inline std::vector<Message> messages(const std::vector<uint8_t>& bytes) {
  FrameReceiver receiver;
  std::vector<Message> out;
  for (const uint8_t byte : bytes) {
    const FrameStatus status = receiver.push(byte);
    if (status == FrameStatus::kPending) continue;
    Message message = {status, 0, 0, {}};
    if (status == FrameStatus::kFrame || status == FrameStatus::kBadVersion) {
      const Frame& frame = receiver.frame();
      message.type = frame.type;
      message.sequence = frame.sequence;
      message.payload.assign(frame.payload, frame.payload + frame.size);
    }
    out.push_back(message);
  }
  return out;
}

inline std::vector<uint8_t> encode(uint8_t type, uint16_t sequence, const std::vector<uint8_t>& payload) {
  std::vector<uint8_t> frame(payload.size() + kFrameOverheadBytes);
  FrameWriter writer(frame.data(), frame.size());
  writer.begin(type, sequence);
  writer.bytes(payload.data(), payload.size());
  std::vector<uint8_t> wire(wire_bytes(payload.size()));
  wire.resize(encode_wire(frame.data(), writer.finish(), wire.data()));
  return wire;
}

// Bytes from hexadecimal text, as the reference vectors hold them.
inline std::vector<uint8_t> from_hex(const char* text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::vector<uint8_t> out;
  for (; text[0] != '\0'; text += 2) out.push_back(static_cast<uint8_t>(digit(text[0]) * 16 + digit(text[1])));
  return out;
}

}  // namespace hardwear
