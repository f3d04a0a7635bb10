// The firmware's units as C functions, so that tests in Python can compare every one with its specification.
//
// Host only: unlike the firmware it allocates. Arrays are the caller's, sample-major, int16 samples of six channels.
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "boards/native/native_board.h"
#include "core/calibration.h"
#include "core/conditioning.h"
#include "core/confidence.h"
#include "core/crc32.h"
#include "core/decision.h"
#include "core/frames.h"
#include "core/orientation.h"
#include "core/pipeline.h"
#include "core/quantization.h"
#include "core/rate_meter.h"
#include "core/resampler.h"
#include "core/session.h"
#include "core/smoother.h"
#include "engines/compiled/compiled_classifier.h"
#include "generated/known_answer.h"

namespace {

// Keeps what the session sends until the caller takes it.
class MemoryBoard final : public hardwear::NativeBoard {
 public:
  void send(const uint8_t* bytes, size_t count) override { sent.insert(sent.end(), bytes, bytes + count); }
  std::vector<uint8_t> sent;
};

MemoryBoard board;
hardwear::CompiledClassifier classifier;
std::unique_ptr<hardwear::Session> session;

}  // namespace

extern "C" {

// What this library was generated for.
uint32_t hw_embedding_size() { return hardwear::kEmbeddingSize; }
void hw_identity(uint8_t out[8]) { std::memcpy(out, hardwear::kIdentity, sizeof hardwear::kIdentity); }
uint32_t hw_session_bytes() { return sizeof(hardwear::Session); }

uint32_t hw_crc32(const uint8_t* bytes, size_t count, uint32_t previous) {
  return hardwear::crc32(bytes, count, previous);
}

// Conditions a whole recording from zero state to its flush: `samples` in, as many out.
void hw_condition(const int16_t* raw, size_t samples, int16_t* out) {
  hardwear::Conditioner conditioner;
  size_t done = 0;
  for (size_t i = 0; i < samples; ++i) {
    if (conditioner.push(raw + i * hardwear::kChannelCount, out + done * hardwear::kChannelCount)) ++done;
  }
  conditioner.flush(out + done * hardwear::kChannelCount);
}

// Resamples a recording from reset on; steps[i] is set before sample i is pushed. Writes up to `capacity` samples,
// returns how many were due.
size_t hw_resample(const int16_t* in, const uint32_t* steps, size_t samples, size_t capacity, int16_t* out) {
  hardwear::Resampler resampler;
  size_t due = 0;
  for (size_t i = 0; i < samples; ++i) {
    resampler.set_step(steps[i]);
    resampler.push(in + i * hardwear::kChannelCount);
    int16_t even[hardwear::kChannelCount];
    while (resampler.pull(even)) {
      if (due < capacity) std::memcpy(out + due * hardwear::kChannelCount, even, sizeof even);
      ++due;
    }
  }
  return due;
}

// Tells a rate meter of `marks` drains, restarting before those whose `restart` is not 0. Writes after each the step,
// the rate, and 1 if settled + 2 if plausible.
void hw_measure_rate(uint32_t nominal_millihertz, const uint32_t* times_us, const uint32_t* samples,
                     const uint8_t* restart, size_t marks, uint32_t* steps, uint32_t* millihertz, uint8_t* flags) {
  hardwear::RateMeter meter(nominal_millihertz);
  for (size_t i = 0; i < marks; ++i) {
    if (restart[i] != 0) meter.restart();
    meter.add(times_us[i], samples[i]);
    steps[i] = meter.step_q24();
    millihertz[i] = meter.millihertz();
    flags[i] = static_cast<uint8_t>((meter.settled() ? 1 : 0) + (meter.plausible() ? 2 : 0));
  }
}

void hw_quantize(const int16_t* counts, size_t samples, int8_t* out) {
  for (size_t i = 0; i < samples; ++i) {
    hardwear::quantize(counts + i * hardwear::kChannelCount, out + i * hardwear::kChannelCount);
  }
}

uint8_t hw_decide(const int8_t* logits) { return hardwear::decide(logits); }

// Probabilities of `rows` rows of logits, by the table of 256 weights given.
void hw_softmax(const uint16_t* exponential, const int8_t* logits, size_t rows, uint8_t* out) {
  for (size_t i = 0; i < rows; ++i) {
    hardwear::softmax(exponential, logits + i * hardwear::kClassCount, out + i * hardwear::kClassCount);
  }
}

// Likewise, by the table that the library was generated with.
void hw_probabilities(const int8_t* logits, size_t rows, uint8_t* out) {
  for (size_t i = 0; i < rows; ++i) {
    hardwear::probabilities(logits + i * hardwear::kClassCount, out + i * hardwear::kClassCount);
  }
}

// Runs the engine on `windows` quantised windows. Returns how many succeeded, in order.
size_t hw_classify(const int8_t* quantized, size_t windows, int8_t* logits, int8_t* embeddings) {
  if (!classifier.begin()) return 0;
  for (size_t i = 0; i < windows; ++i) {
    hardwear::Inference inference;
    const size_t window_bytes = hardwear::kWindowSamples * hardwear::kChannelCount;
    if (!classifier.classify(quantized + i * window_bytes, &inference)) return i;
    std::memcpy(logits + i * hardwear::kClassCount, inference.logits, hardwear::kClassCount);
    std::memcpy(embeddings + i * hardwear::kEmbeddingSize, inference.embedding, hardwear::kEmbeddingSize);
  }
  return windows;
}

// Runs a raw recording through the whole chain, flush included. Writes up to `capacity` predictions, returns how many
// were due.
size_t hw_pipeline(const int16_t* raw, size_t samples, size_t capacity, uint32_t* ends, uint8_t* activities,
                   int8_t* logits, int8_t* embeddings, uint8_t* probabilities) {
  if (!classifier.begin()) return 0;
  hardwear::Pipeline pipeline(classifier, board);
  size_t due = 0;
  for (size_t i = 0; i <= samples; ++i) {
    hardwear::Prediction prediction;
    const hardwear::Outcome outcome = i < samples ? pipeline.push(raw + i * hardwear::kChannelCount, &prediction)
                                                  : pipeline.flush(&prediction);
    if (outcome != hardwear::Outcome::kPrediction) continue;
    if (due < capacity) {
      ends[due] = prediction.end_sample;
      activities[due] = prediction.activity;
      std::memcpy(logits + due * hardwear::kClassCount, prediction.inference.logits, hardwear::kClassCount);
      std::memcpy(embeddings + due * hardwear::kEmbeddingSize, prediction.inference.embedding,
                  hardwear::kEmbeddingSize);
      std::memcpy(probabilities + due * hardwear::kClassCount, prediction.probabilities, hardwear::kClassCount);
    }
    ++due;
  }
  return due;
}

// Straightens samples by a row-major Q14 matrix and an acceleration gain.
void hw_straighten(const int16_t matrix[9], uint16_t gain, const int16_t* in, size_t samples, int16_t* out) {
  hardwear::Mounting mounting;
  std::memcpy(mounting.rotation.q14, matrix, sizeof mounting.rotation.q14);
  mounting.acc_gain_q14 = gain;
  for (size_t i = 0; i < samples; ++i) {
    hardwear::straighten(mounting, in + i * hardwear::kChannelCount, out + i * hardwear::kChannelCount);
  }
}

uint8_t hw_is_rotation(const int16_t matrix[9]) {
  hardwear::Rotation rotation;
  std::memcpy(rotation.q14, matrix, sizeof rotation.q14);
  return hardwear::is_rotation(rotation) ? 1 : 0;
}

// Calibrates from start() on. Writes state and progress after each sample, and the result at the end.
void hw_calibrate(const int16_t* samples, size_t count, uint8_t* states, uint8_t* progress, int16_t matrix[9],
                  uint16_t* gain) {
  hardwear::Calibration calibration;
  calibration.start();
  for (size_t i = 0; i < count; ++i) {
    states[i] = static_cast<uint8_t>(calibration.push(samples + i * hardwear::kChannelCount));
    progress[i] = calibration.progress();
  }
  std::memcpy(matrix, calibration.result().rotation.q14, sizeof calibration.result().rotation.q14);
  *gain = calibration.result().acc_gain_q14;
}

// Smooths `count` x kClassCount probabilities from the first window on, and writes the label after each.
void hw_smooth(uint8_t smoothing, uint8_t threshold, const uint8_t* probabilities, size_t count, uint8_t* labels) {
  hardwear::Smoother smoother;
  smoother.configure(smoothing, threshold);
  for (size_t i = 0; i < count; ++i) labels[i] = smoother.push(probabilities + i * hardwear::kClassCount);
}

// Encodes one frame for the wire. Returns its bytes, 0 if the payload is too long or `out` too small.
size_t hw_encode_frame(uint8_t type, uint16_t sequence, const uint8_t* payload, size_t size, uint8_t* out,
                       size_t capacity) {
  if (size > hardwear::kMaxPayloadBytes || capacity < hardwear::wire_bytes(size)) return 0;
  uint8_t frame[hardwear::kMaxFrameBytes];
  hardwear::FrameWriter writer(frame, sizeof frame);
  writer.begin(type, sequence);
  writer.bytes(payload, size);
  return hardwear::encode_wire(frame, writer.finish(), out);
}

// Reads bytes as a receiver does and writes one status (hardwear::FrameStatus, without kPending) for each frame that
// ended. The last intact frame goes to `type`, `sequence`, `payload` (1,600 bytes) and `size`. Returns the statuses.
size_t hw_decode_frames(const uint8_t* bytes, size_t count, uint8_t* statuses, size_t capacity, uint8_t* type,
                        uint16_t* sequence, uint8_t* payload, size_t* size) {
  hardwear::FrameReceiver receiver;
  size_t ended = 0;
  for (size_t i = 0; i < count; ++i) {
    const hardwear::FrameStatus status = receiver.push(bytes[i]);
    if (status == hardwear::FrameStatus::kPending) continue;
    if (ended < capacity) statuses[ended] = static_cast<uint8_t>(status);
    ++ended;
    if (status == hardwear::FrameStatus::kFrame || status == hardwear::FrameStatus::kBadVersion) {
      const hardwear::Frame& frame = receiver.frame();
      *type = frame.type;
      *sequence = frame.sequence;
      *size = frame.size;
      if (frame.size > 0) std::memcpy(payload, frame.payload, frame.size);
    }
  }
  return ended;
}

// One session for the caller: boot() starts it anew, receive() feeds it, take() moves what it sent.
uint8_t hw_session_boot() {
  board.sent.clear();
  session.reset(new hardwear::Session(board, classifier, hardwear::kKnownAnswer));
  return static_cast<uint8_t>(session->boot());
}

void hw_session_receive(const uint8_t* bytes, size_t count) { session->receive(bytes, count); }

size_t hw_session_take(uint8_t* out, size_t capacity) {
  const size_t count = board.sent.size() < capacity ? board.sent.size() : capacity;
  if (count > 0) std::memcpy(out, board.sent.data(), count);
  board.sent.erase(board.sent.begin(), board.sent.begin() + static_cast<std::ptrdiff_t>(count));
  return count;
}

}  // extern "C"
