// The session: answers the host's requests, one frame at a time (docs/protocol.md).
//
//   static hardwear::Session session(board, classifier, hardwear::kKnownAnswer);
//   session.boot();
//   for (;;) { count = ring.pop(bytes, sizeof bytes); session.receive(bytes, count); }
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/board.h"
#include "core/classifier.h"
#include "core/frames.h"
#include "core/known_answer.h"
#include "core/pipeline.h"
#include "core/wearable_control.h"

namespace hardwear {

// Whether the device predicts, as HELLO tells it.
enum class Status : uint8_t {
  kReady = 0,
  kEngineFailed = 1,         // the engine could not start
  kConditioningDiffers = 2,  // known-answer test: the conditioned window is not Python's
  kModelDiffers = 3,         // known-answer test: logits or embedding are not TFLite-Micro's
  kNotBooted = 4,            // boot() was not called yet
  kConfidenceDiffers = 5,    // known-answer test: the probabilities are not Python's
};

enum class RequestType : uint8_t {
  kHello = 0x01,
  kWindow = 0x02,
  kStream = 0x03,
  kStats = 0x04,
  kReset = 0x05,
  kLive = 0x06,
  kConfig = 0x07,
  kCalibrate = 0x08,
  kUnlock = 0x09,
};

constexpr uint8_t kAnswerBit = 0x80;
constexpr uint8_t kLiveType = 0xFD;
constexpr uint8_t kLogType = 0xFE;
constexpr uint8_t kErrorType = 0xFF;

enum class ErrorCode : uint8_t {
  kBadFrame = 1,
  kBadCrc = 2,
  kTooShort = 3,
  kTooLong = 4,
  kBadVersion = 5,
  kUnknownType = 6,
  kBadLength = 7,
  kBadValue = 8,
  kStreamGap = 9,
  kRefused = 10,
  kEngineFailed = 11,
  kNoSensor = 12,
};

// What STATS tells, in the order of the wire. All count from start or RESET and stop at 2^32 - 1, but for the last
// two, which are the board's and count from start.
struct Counters {
  uint32_t frames;              // intact frames, whatever they asked for
  uint32_t duplicates;          // answered again from memory, not executed
  uint32_t bad_cobs;
  uint32_t bad_crc;
  uint32_t too_short;
  uint32_t too_long;
  uint32_t bad_version;
  uint32_t unknown_type;
  uint32_t bad_length;
  uint32_t bad_value;
  uint32_t stream_gaps;
  uint32_t refused;             // WINDOW or STREAM while the known-answer test failed, LIVE and so on without a sensor
  uint32_t engine_failures;
  uint32_t windows;             // windows classified, of WINDOW and STREAM together
  uint32_t stream_samples;
  uint32_t max_time;            // longest inference in the board's TimeUnit
  uint32_t receive_overruns;    // bytes lost before the session saw them
  uint32_t stack_high_water;    // bytes; 0: not measured
};
constexpr size_t kCounterCount = sizeof(Counters) / sizeof(uint32_t);

constexpr size_t kMaxChunkSamples = 128;

// Serves one host. Borrows board, engine and known answer, which must outlive it; owns every buffer it needs (see the
// budget below) and takes nothing from the heap. Never call it from an interrupt.
class Session {
 public:
  // `live` may be null: a board that only replays, which answers LIVE, CONFIG, CALIBRATE and UNLOCK with kNoSensor.
  Session(Board& board, Classifier& classifier, const KnownAnswer& known_answer, LiveControl* live = nullptr)
      : board_(board), classifier_(classifier), known_answer_(known_answer), live_(live), pipeline_(classifier, board) {}

  // Starts the engine, runs the known-answer test and logs the outcome to the host. Call it once, before receive().
  // Whatever it returns, the session goes on to answer; but only when kReady does it predict.
  Status boot();

  // Takes bytes as they come from the host, cut anywhere, and answers every frame that ends in them. Blocks for one
  // inference per window.
  void receive(const uint8_t* bytes, size_t count);

  // Sends one line of text to the host, unasked, cut to kMaxTextBytes. Don't call it from within receive().
  void log(const char* text);

  // A window of the wearer, or the board's state: sent to a host that has asked for it with LIVE. Don't call it from
  // within receive().
  void on_prediction(const PredictionPacket& packet);
  bool live() const { return live_on_; }

  // Nobody is on the line any more: the next host has to ask for LIVE itself.
  void host_gone() { live_on_ = false; }

  Status status() const { return status_; }

  // Intact frames from the host since start or RESET: 0 as long as nobody has spoken the protocol.
  uint32_t frames() const { return counters_.frames; }

  static constexpr size_t kMaxTextBytes = 120;

 private:
  // A prediction on the wire, and the fixed parts of the answers (docs/protocol.md).
  static constexpr size_t kPredictionBytes = 1 + 2 * kClassCount + 4 + kEmbeddingSize;
  static constexpr size_t kHelloBytes = 60;
  static constexpr size_t kStatsBytes = 2 + 4 * kCounterCount;
  // A chunk sets free up to kMaxChunkSamples + 1 conditioned samples: the flush adds the one that the median held.
  static constexpr size_t kMaxPredictionsPerChunk = kMaxChunkSamples / kHopSamples + 1;
  static constexpr size_t kStreamBytes = 5 + kMaxPredictionsPerChunk * (4 + kPredictionBytes);
  static constexpr size_t kErrorBytes = 6 + kMaxTextBytes;
  static constexpr size_t kAnswerBytes = kStreamBytes > kErrorBytes ? kStreamBytes : kErrorBytes;
  static_assert(kAnswerBytes <= kMaxPayloadBytes, "an answer must fit into a frame");
  static_assert(kHelloBytes <= kAnswerBytes && kStatsBytes <= kAnswerBytes, "the buffers hold the largest answer");
  static_assert(kWindowSamples * kChannelCount * 2 <= kMaxPayloadBytes, "WINDOW must fit into a frame");
  static_assert(6 + kMaxChunkSamples * kChannelCount * 2 <= kMaxPayloadBytes, "STREAM must fit into a frame");

  enum class StreamState : uint8_t {
    kRunning,  // waits for the sample next_sample_
    kEnded,    // was flushed: only a restart goes on
    kBroken,   // the engine failed in the middle: only a restart goes on
  };

  void execute(const Frame& request);
  void hello(const Frame& request);
  void window(const Frame& request);
  void stream(const Frame& request);
  void stats(const Frame& request);
  void reset(const Frame& request);
  void live(const Frame& request);
  void config(const Frame& request);
  void calibrate(const Frame& request);
  void unlock(const Frame& request);

  bool has_sensor(const Frame& request);
  bool may_predict(const Frame& request);
  void reject_damaged(ErrorCode code, uint32_t* counter, const char* text);
  void reject(const Frame& request, ErrorCode code, uint32_t* counter, uint32_t detail, const char* text);
  void send_error(uint16_t sequence, ErrorCode code, uint8_t request_type, uint32_t detail, const char* text);
  void begin_answer(const Frame& request);
  void finish_answer();
  void put_prediction(const Prediction& prediction);
  void note_prediction(const Prediction& prediction);
  void transmit(const uint8_t* frame, size_t size);

  Board& board_;
  Classifier& classifier_;
  const KnownAnswer& known_answer_;
  LiveControl* const live_;
  bool live_on_ = false;
  Pipeline pipeline_;
  FrameReceiver receiver_;
  Status status_ = Status::kNotBooted;
  char reason_[kMaxTextBytes + 1] = "not booted";  // why it doesn't predict

  StreamState stream_ = StreamState::kRunning;
  uint32_t next_sample_ = 0;

  // The last WINDOW or STREAM that was executed, and its answer as a raw frame, for a host that asks again.
  bool answer_is_repeatable_ = false;
  uint16_t answered_sequence_ = 0;
  uint32_t answered_crc_ = 0;
  uint8_t answer_[kAnswerBytes + kFrameOverheadBytes];
  size_t answer_size_ = 0;
  FrameWriter writer_{answer_, sizeof answer_};

  uint8_t wire_[wire_bytes(kAnswerBytes)];
  Counters counters_ = {};
};

static_assert(sizeof(Session) <= 8 * 1024, "the session's budget of RAM, filters, window and buffers included");

}  // namespace hardwear
