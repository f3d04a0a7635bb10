#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "../../vectors/frames.h"
#include "../fake_live.h"
#include "../fakes.h"
#include "core/confidence.h"
#include "core/session.h"
#include "core/text.h"

namespace hardwear {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint16_t kSamples = 200;
constexpr uint8_t kRestart = 1, kEnd = 2;

// A device on the bench: booted with a known answer that holds, unless the test spoils it before.
struct Device {
  FakeBoard board;
  FakeClassifier classifier;
  std::vector<int16_t> raw = noise(kSamples, 9);
  KnownAnswer known = {};
  std::unique_ptr<Session> session;

  explicit Device(LiveControl* live = nullptr) {
    Pipeline reference(classifier, board);
    Prediction prediction;
    size_t n = 0;
    while (reference.push(&raw[n * kChannelCount], &prediction) == Outcome::kPending) ++n;
    known.raw = raw.data();
    known.samples = kSamples;
    known.window_crc32 = reference.window().crc32();
    std::memcpy(known.logits, prediction.inference.logits, sizeof known.logits);
    std::memcpy(known.embedding, prediction.inference.embedding, sizeof known.embedding);
    std::memcpy(known.probabilities, prediction.probabilities, sizeof known.probabilities);
    classifier.windows.clear();
    session.reset(new Session(board, classifier, known, live));
  }

  // What boot() said, line by line.
  std::string boot() {
    session->boot();
    std::string lines;
    for (const Message& message : messages(board.take())) {
      REQUIRE(message.type == kLogType);
      lines += std::string(message.payload.begin(), message.payload.end()) + "\n";
    }
    classifier.windows.clear();
    return lines;
  }

  Bytes send(const Bytes& wire) {
    session->receive(wire.data(), wire.size());
    return board.take();
  }

  // The one answer to a request.
  Message ask(uint8_t type, uint16_t sequence, const Bytes& payload = {}) {
    const std::vector<Message> answers = messages(send(encode(type, sequence, payload)));
    REQUIRE(answers.size() == 1);
    REQUIRE(answers[0].status == FrameStatus::kFrame);
    return answers[0];
  }

  uint32_t counter(uint32_t Counters::*member) {
    const Message answer = ask(0x04, 0x7777);
    REQUIRE(answer.payload.size() == 2 + sizeof(Counters));
    CHECK(load_u16(answer.payload.data()) == kCounterCount);
    Counters counters;
    for (size_t i = 0; i < kCounterCount; ++i) {
      reinterpret_cast<uint32_t*>(&counters)[i] = load_u32(&answer.payload[2 + 4 * i]);
    }
    return counters.*member;
  }
};

Bytes samples_to_bytes(const std::vector<int16_t>& counts, size_t first, size_t count) {
  Bytes out(count * kChannelCount * 2);
  for (size_t i = 0; i < count * kChannelCount; ++i) {
    store_u16(&out[2 * i], static_cast<uint16_t>(counts[first * kChannelCount + i]));
  }
  return out;
}

Bytes chunk(const std::vector<int16_t>& counts, uint32_t first, size_t count, uint8_t flags) {
  Bytes out(6);
  out[0] = flags;
  store_u32(&out[1], first);
  out[5] = static_cast<uint8_t>(count);
  const Bytes samples = samples_to_bytes(counts, first, count);
  out.insert(out.end(), samples.begin(), samples.end());
  return out;
}

ErrorCode error_code(const Message& answer) {
  REQUIRE(answer.type == kErrorType);
  REQUIRE(answer.payload.size() >= 6);
  return static_cast<ErrorCode>(answer.payload[0]);
}

std::string error_text(const Message& answer) { return std::string(answer.payload.begin() + 6, answer.payload.end()); }

TEST_CASE("the reference conversation is answered byte for byte") {
  Device device;
  device.boot();
  for (const vectors::Turn& turn : vectors::kConversation) {
    CAPTURE(turn.name);
    Bytes answer = device.send(from_hex(turn.request));
    Bytes expected = from_hex(turn.answer);
    if (std::string(turn.name) == "stats") {  // this board has overruns and a stack to tell of, the reference none
      const std::vector<Message> decoded = messages(answer);
      REQUIRE(decoded.size() == 1);
      REQUIRE(decoded[0].payload.size() == 2 + sizeof(Counters));
      answer.assign(decoded[0].payload.begin(), decoded[0].payload.end() - 8);
      const std::vector<Message> reference = messages(expected);
      expected.assign(reference[0].payload.begin(), reference[0].payload.end() - 8);
      CHECK(load_u32(&decoded[0].payload[2 + sizeof(Counters) - 8]) == 17);
      CHECK(load_u32(&decoded[0].payload[2 + sizeof(Counters) - 4]) == 1234);
    }
    CHECK(answer == expected);
  }
}

TEST_CASE("HELLO tells identity, sizes and state at the documented offsets") {
  Device device;
  CHECK(device.ask(0x01, 1).payload[1] == static_cast<uint8_t>(Status::kNotBooted));
  device.boot();
  const Message hello = device.ask(0x01, 0x1234);
  CHECK(hello.type == 0x81);
  CHECK(hello.sequence == 0x1234);
  const Bytes& p = hello.payload;
  REQUIRE(p.size() == 60);
  CHECK(p[0] == kContractVersion);
  CHECK(p[1] == static_cast<uint8_t>(Status::kReady));
  CHECK(std::memcmp(&p[2], kIdentity, 8) == 0);
  CHECK(p[10] == kChannelCount);
  CHECK(p[11] == kClassCount);
  CHECK(load_u16(&p[12]) == kWindowSamples);
  CHECK(load_u16(&p[14]) == kHopSamples);
  CHECK(load_u16(&p[16]) == kEmbeddingSize);
  CHECK(load_u16(&p[18]) == 1600);
  CHECK(load_u16(&p[20]) == 2048);
  CHECK(p[22] == 1);
  CHECK(p[23] == kSampleRateHz);
  CHECK(load_u32(&p[24]) == 77);
  CHECK(std::string(reinterpret_cast<const char*>(&p[28])) == "fake");
  CHECK(std::string(reinterpret_cast<const char*>(&p[44])) == "a name of more ");
  CHECK(p[59] == 0);
}

TEST_CASE("WINDOW answers class, logits, time and embedding of just that window") {
  Device device;
  device.boot();
  const Bytes payload = samples_to_bytes(device.raw, 10, kWindowSamples);
  const Message answer = device.ask(0x02, 5, payload);
  REQUIRE(device.classifier.windows.size() == 1);
  const Inference expected = FakeClassifier::expected(device.classifier.windows[0]);
  REQUIRE(answer.type == 0x82);
  REQUIRE(answer.payload.size() == 1 + 2 * kClassCount + 4 + kEmbeddingSize);
  CHECK(std::memcmp(&answer.payload[1], expected.logits, kClassCount) == 0);
  uint8_t expected_probabilities[kClassCount];
  probabilities(expected.logits, expected_probabilities);
  CHECK(std::memcmp(&answer.payload[1 + kClassCount], expected_probabilities, kClassCount) == 0);
  CHECK(load_u32(&answer.payload[1 + 2 * kClassCount]) == 1000);
  CHECK(std::memcmp(&answer.payload[5 + 2 * kClassCount], expected.embedding, kEmbeddingSize) == 0);
  CHECK(device.counter(&Counters::windows) == 1);
  CHECK(device.counter(&Counters::max_time) == 1000);
}

TEST_CASE("a stream gives the same predictions however it is cut") {
  const std::vector<int16_t> raw = noise(512, 11);
  std::vector<Bytes> first;
  for (const size_t step : {128u, 1u, 64u, 100u, 127u}) {
    CAPTURE(step);
    Device device;
    device.boot();
    std::vector<Bytes> predictions;
    for (size_t at = 0; at < 512; at += step) {
      const size_t count = at + step < 512 ? step : 512 - at;
      const uint8_t flags = static_cast<uint8_t>((at == 0 ? kRestart : 0) | (at + count == 512 ? kEnd : 0));
      const Bytes request = chunk(raw, static_cast<uint32_t>(at), count, flags);
      const Message answer = device.ask(0x03, static_cast<uint16_t>(at + 1), request);
      REQUIRE(answer.type == 0x83);
      CHECK(load_u32(answer.payload.data()) == at + count);
      const size_t each = 4 + 1 + 2 * kClassCount + 4 + kEmbeddingSize;
      REQUIRE(answer.payload.size() == 5 + answer.payload[4] * each);
      for (size_t i = 0; i < answer.payload[4]; ++i) {
        const auto begin = answer.payload.begin() + static_cast<std::ptrdiff_t>(5 + i * each);
        predictions.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(each));
        CHECK(load_u32(predictions.back().data()) == (predictions.size() - 1) * kHopSamples + kWindowSamples);
      }
    }
    CHECK(predictions.size() == 7);
    if (first.empty()) first = predictions;
    CHECK(predictions == first);
  }
}

TEST_CASE("a frame that was executed is answered again from memory") {
  Device device;
  device.boot();
  const Bytes request = encode(0x03, 9, chunk(noise(256, 1), 0, 128, kRestart));
  const Bytes answer = device.send(request);
  CHECK(device.send(request) == answer);
  // What is damaged or unasked in between changes nothing.
  const Bytes noise_on_the_line = {0x00, 0x44, 0x11, 0x00};
  device.send(noise_on_the_line);
  device.session->log("a line");
  device.board.take();
  CHECK(device.send(request) == answer);
  CHECK(device.counter(&Counters::stream_samples) == 128);
  CHECK(device.counter(&Counters::duplicates) == 2);

  const Bytes window = encode(0x02, 10, samples_to_bytes(noise(128, 2), 0, 128));
  const Bytes prediction = device.send(window);
  CHECK(device.send(window) == prediction);
  CHECK(device.classifier.windows.size() == 1);
}

TEST_CASE("the same number with other content, or after another request, is executed") {
  Device device;
  device.boot();
  const Bytes window = encode(0x02, 10, samples_to_bytes(noise(128, 2), 0, 128));
  device.send(window);
  device.send(encode(0x02, 10, samples_to_bytes(noise(128, 3), 0, 128)));
  CHECK(device.classifier.windows.size() == 2);
  device.send(window);
  CHECK(device.classifier.windows.size() == 3);
  device.send(encode(0x01, 11, {}));  // HELLO: a new host must not get the old one's answer
  device.send(window);
  CHECK(device.classifier.windows.size() == 4);
}

TEST_CASE("HELLO and STATS are never answered from memory") {
  Device device;
  CHECK(device.ask(0x01, 1).payload[1] == static_cast<uint8_t>(Status::kNotBooted));
  device.boot();
  CHECK(device.ask(0x01, 1).payload[1] == static_cast<uint8_t>(Status::kReady));
  const Message first = device.ask(0x04, 2);
  CHECK(device.ask(0x04, 2).payload != first.payload);
}

TEST_CASE("a gap leaves the stream where it was") {
  Device device;
  device.boot();
  const std::vector<int16_t> raw = noise(400, 4);
  device.ask(0x03, 1, chunk(raw, 0, 100, kRestart));
  const Message gap = device.ask(0x03, 2, chunk(raw, 101, 100, 0));
  CHECK(error_code(gap) == ErrorCode::kStreamGap);
  CHECK(load_u32(&gap.payload[2]) == 100);
  const Message restart_within = device.ask(0x03, 3, chunk(raw, 100, 10, kRestart));
  CHECK(error_code(restart_within) == ErrorCode::kStreamGap);
  const Message next = device.ask(0x03, 4, chunk(raw, 100, 100, 0));
  CHECK(next.type == 0x83);
  CHECK(next.payload[4] == 2);
  CHECK(device.counter(&Counters::stream_gaps) == 2);
}

TEST_CASE("a full chunk with the flush gives three predictions at most, and they fit") {
  Device device;
  device.boot();
  const std::vector<int16_t> raw = noise(192, 4);
  device.ask(0x03, 1, chunk(raw, 0, 64, kRestart));
  const Message answer = device.ask(0x03, 2, chunk(raw, 64, 128, kEnd));
  CHECK(answer.payload[4] == 2);
  const Message alone = device.ask(0x03, 3, chunk(raw, 0, 128, kRestart | kEnd));
  CHECK(alone.payload[4] == 1);
  device.ask(0x03, 4, chunk(noise(256, 5), 0, 128, kRestart));
  const Message most = device.ask(0x03, 5, chunk(noise(256, 5), 128, 128, kEnd));
  CHECK(most.payload[4] == 3);
}

TEST_CASE("RESET is as power-on, but for the board's own counters") {
  Device device;
  device.boot();
  const std::vector<int16_t> raw = noise(400, 4);
  device.ask(0x03, 1, chunk(raw, 0, 100, kRestart));
  device.send({0x05, 0x00});
  CHECK(device.counter(&Counters::bad_cobs) == 1);
  CHECK(device.ask(0x05, 2).type == 0x85);
  CHECK(device.counter(&Counters::bad_cobs) == 0);
  CHECK(device.counter(&Counters::stream_samples) == 0);
  CHECK(device.counter(&Counters::receive_overruns) == 17);
  CHECK(device.ask(0x03, 3, chunk(raw, 0, 100, 0)).type == 0x83);  // no restart needed
}

TEST_CASE("a device whose known answer fails says why, answers HELLO and STATS and predicts nothing") {
  struct Case {
    const char* said;
    Status status;
    ErrorCode code;
    void (*spoil)(Device*);
  };
  const Case cases[] = {
      {"conditioned window has CRC-32", Status::kConditioningDiffers, ErrorCode::kRefused,
       [](Device* d) { d->known.window_crc32 ^= 1; }},
      {"known answer: logit 2 is", Status::kModelDiffers, ErrorCode::kRefused,
       [](Device* d) { d->classifier.wrong_logit = 2; }},
      {"known answer: embedding 1 is", Status::kModelDiffers, ErrorCode::kRefused,
       [](Device* d) { d->classifier.wrong_embedding = 1; }},
      {"known answer: probability 1 is", Status::kConfidenceDiffers, ErrorCode::kRefused,
       [](Device* d) { d->known.probabilities[1] ^= 1; }},
      {"the engine could not start", Status::kEngineFailed, ErrorCode::kEngineFailed,
       [](Device* d) { d->classifier.starts = false; }},
      {"known answer: the engine failed", Status::kEngineFailed, ErrorCode::kEngineFailed,
       [](Device* d) { d->classifier.fails_at = 1; }},
  };
  for (const Case& c : cases) {
    CAPTURE(c.said);
    Device device;
    c.spoil(&device);
    const std::string said = device.boot();
    CHECK(said.find(c.said) != std::string::npos);
    CHECK(said.find("refuses to predict") != std::string::npos);
    CHECK(device.session->status() == c.status);
    CHECK(device.ask(0x01, 1).payload[1] == static_cast<uint8_t>(c.status));
    for (const Message& answer : {device.ask(0x02, 2, samples_to_bytes(device.raw, 0, kWindowSamples)),
                                  device.ask(0x03, 3, chunk(device.raw, 0, 100, kRestart))}) {
      CHECK(error_code(answer) == c.code);
      CHECK(error_text(answer).find(c.said) != std::string::npos);
    }
    CHECK(device.classifier.windows.empty());
    CHECK(device.counter(&Counters::stream_samples) == 0);
  }
}

TEST_CASE("an engine that fails later is told of, and its stream has to restart") {
  Device device;
  device.boot();
  const std::vector<int16_t> raw = noise(512, 4);
  device.classifier.fails_at = 1;
  CHECK(error_code(device.ask(0x02, 1, samples_to_bytes(raw, 0, kWindowSamples))) == ErrorCode::kEngineFailed);
  device.classifier.fails_at = 2;
  device.ask(0x03, 2, chunk(raw, 0, 128, kRestart));
  CHECK(error_code(device.ask(0x03, 3, chunk(raw, 128, 128, 0))) == ErrorCode::kEngineFailed);
  CHECK(error_code(device.ask(0x03, 4, chunk(raw, 128, 128, 0))) == ErrorCode::kEngineFailed);
  CHECK(device.ask(0x03, 5, chunk(raw, 0, 128, kRestart)).type == 0x83);
  CHECK(device.counter(&Counters::engine_failures) == 3);
}

TEST_CASE("requests are answered however their bytes are cut") {
  Device whole, bytewise;
  whole.boot();
  bytewise.boot();
  Bytes requests;
  for (const vectors::Turn& turn : vectors::kConversation) {
    const Bytes request = from_hex(turn.request);
    requests.insert(requests.end(), request.begin(), request.end());
  }
  const Bytes expected = whole.send(requests);
  Bytes answered;
  for (const uint8_t byte : requests) {
    const Bytes part = bytewise.send({byte});
    answered.insert(answered.end(), part.begin(), part.end());
  }
  CHECK(answered == expected);
}

TEST_CASE("the reference conversation with a wearable is answered byte for byte") {
  FakeLive live;
  Device device(&live);
  device.boot();
  for (const vectors::Turn& turn : vectors::kLiveConversation) {
    CAPTURE(turn.name);
    CHECK(device.send(from_hex(turn.request)) == from_hex(turn.answer));
  }
  CHECK(live.unlocked == 1);
  CHECK(device.counter(&Counters::bad_length) == 4);
  CHECK(device.counter(&Counters::bad_value) == 4);
  CHECK(device.counter(&Counters::unknown_type) == 1);
}

TEST_CASE("live packets come to who asked for them, until told otherwise, reset, or gone") {
  FakeLive live;
  Device device(&live);
  device.boot();
  const PredictionPacket packet = {1, 513, 2, 3, 200, {1, 2, 200, 4, 5, 6}, 7, 8};
  const auto told = [&] {
    device.session->on_prediction(packet);
    return messages(device.board.take());
  };
  CHECK(told().empty());
  for (int i = 0; i < 3; ++i) {
    CHECK(device.ask(0x06, 1, {1}).payload == Bytes{1});
    CHECK(device.session->live());
    const std::vector<Message> frames = told();
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].type == kLiveType);
    CHECK(frames[0].sequence == 0);
    Bytes expected(kPredictionPacketBytes);
    encode_prediction(packet, expected.data());
    CHECK(frames[0].payload == expected);
    if (i == 0) device.ask(0x06, 2, {0});
    if (i == 1) device.ask(0x05, 3);
    if (i == 2) device.session->host_gone();
    CHECK(told().empty());
  }
}

TEST_CASE("a wearable whose known-answer test failed still tells and is still set") {
  FakeLive live;
  Device device(&live);
  device.classifier.wrong_logit = 0;
  device.boot();
  CHECK(device.session->status() == Status::kModelDiffers);
  CHECK(device.ask(0x06, 1, {1}).type == 0x86);
  CHECK(device.ask(0x07, 2).payload.size() == kConfigBytes);
  CHECK(device.ask(0x08, 3, {1}).payload[0] == static_cast<uint8_t>(CalibrationState::kStandStill));
}

TEST_CASE("without a sensor none of it is done, and each is told and counted") {
  Device device;
  device.boot();
  for (const uint8_t type : {0x06, 0x07, 0x08, 0x09}) CHECK(error_code(device.ask(type, type)) == ErrorCode::kNoSensor);
  CHECK(device.counter(&Counters::refused) == 4);
  device.session->on_prediction({});
  CHECK(device.board.take().empty());
}

TEST_CASE("no request about the wearable, whatever it holds, breaks the session or slips past a check") {
  FakeLive live;
  Device device(&live);
  device.boot();
  uint32_t state = 12345;
  const auto pick = [&state](uint32_t below) {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
  };
  for (int i = 0; i < 20000; ++i) {
    const uint8_t type = static_cast<uint8_t>(6 + pick(4));
    Bytes payload(pick(pick(50) == 0 ? 1600 : 24));
    for (uint8_t& byte : payload) byte = static_cast<uint8_t>(pick(pick(2) == 0 ? 7 : 256));
    if (pick(3) == 0) {  // a good one, or one that is good but for a bit
      if (type == 0x07) {
        payload.assign(kConfigBytes, 0);
        encode_config({static_cast<uint8_t>(pick(7)), 128, 1, true, false}, payload.data());
      }
      if (type == 0x08) {
        payload.assign(1 + kCalibrationPacketBytes, 0);
        encode_calibration({CalibrationState::kIdle, 4, kIdentityRotation}, payload.data());
        payload.erase(payload.begin());
        payload.resize(kCalibrationSetBytes);
      }
      if (pick(2) == 0 && !payload.empty()) payload[pick(static_cast<uint32_t>(payload.size()))] ^= 1u << pick(8);
    }
    const Message answer = device.ask(type, static_cast<uint16_t>(1 + i), payload);
    CHECK(answer.sequence == 1 + i);
    Config config;
    CalibrationCommand command;
    const bool good = (type == 0x06 && payload.size() == 1 && payload[0] <= 1) ||
                      (type == 0x07 && (payload.empty() || parse_config(payload.data(), payload.size(), &config))) ||
                      (type == 0x08 && (payload.empty() || parse_calibration(payload.data(), payload.size(), &command))) ||
                      (type == 0x09 && payload.empty());
    CHECK(answer.type == (good ? (type | kAnswerBit) : kErrorType));
    CHECK(is_rotation(live.packet.rotation));
    CHECK(live.config_.smoothing <= uint8_t{Smoother::kMaxSmoothing});
    CHECK(live.config_.notify_every > 0);
  }
}

TEST_CASE("a long line of text is cut, not lost") {
  Device device;
  device.session->log(std::string(500, 'x').c_str());
  const std::vector<Message> lines = messages(device.board.take());
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].type == kLogType);
  CHECK(lines[0].sequence == 0);
  CHECK(lines[0].payload == Bytes(Session::kMaxTextBytes, 'x'));
}

TEST_CASE("text lines write numbers as people read them") {
  char buffer[64];
  TextLine(buffer, sizeof buffer).number(-128).text(" ").number(0).text(" ").number(4294967295).text(" ").hex(0xAF, 4);
  CHECK(std::string(buffer) == "-128 0 4294967295 00af");
  TextLine(buffer, sizeof buffer).number(INT64_MIN);
  CHECK(std::string(buffer) == "-9223372036854775808");
  TextLine(buffer, 4).text("cut here");
  CHECK(std::string(buffer) == "cut");
}

}  // namespace
}  // namespace hardwear
