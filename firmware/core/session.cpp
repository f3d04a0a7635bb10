#include "core/session.h"

#include "core/bytes.h"
#include "core/text.h"

namespace hardwear {
namespace {

constexpr uint8_t kFlagRestart = 1;
constexpr uint8_t kFlagEnd = 2;
constexpr size_t kSampleBytes = 2 * kChannelCount;
constexpr size_t kChunkHeaderBytes = 6;

void load_sample(const uint8_t* bytes, int16_t sample[kChannelCount]) {
  for (size_t c = 0; c < kChannelCount; ++c) sample[c] = load_i16(bytes + 2 * c);
}

void count(uint32_t* counter) {
  if (*counter != UINT32_MAX) ++*counter;
}

void explain(const KnownAnswerReport& report, TextLine line) {
  line.text("known answer: ");
  switch (report.result) {
    case KnownAnswerResult::kEqual:
      line.text("equal");
      return;
    case KnownAnswerResult::kEngineFailed:
      line.text("the engine failed");
      return;
    case KnownAnswerResult::kConditioningDiffers:
      line.text("conditioned window has CRC-32 ").hex(static_cast<uint32_t>(report.actual), 8);
      line.text(", expected ").hex(static_cast<uint32_t>(report.expected), 8);
      return;
    case KnownAnswerResult::kLogitDiffers:
      line.text("logit ");
      break;
    case KnownAnswerResult::kEmbeddingDiffers:
      line.text("embedding ");
      break;
    case KnownAnswerResult::kProbabilityDiffers:
      line.text("probability ");
      break;
  }
  line.number(report.index).text(" is ").number(report.actual).text(", expected ").number(report.expected);
}

Status status_of(KnownAnswerResult result) {
  switch (result) {
    case KnownAnswerResult::kEqual:
      return Status::kReady;
    case KnownAnswerResult::kEngineFailed:
      return Status::kEngineFailed;
    case KnownAnswerResult::kConditioningDiffers:
      return Status::kConditioningDiffers;
    case KnownAnswerResult::kLogitDiffers:
    case KnownAnswerResult::kEmbeddingDiffers:
      return Status::kModelDiffers;
    case KnownAnswerResult::kProbabilityDiffers:
      return Status::kConfidenceDiffers;
  }
  return Status::kEngineFailed;
}

}  // namespace

Status Session::boot() {
  if (!classifier_.begin()) {
    status_ = Status::kEngineFailed;
    TextLine(reason_, sizeof reason_).text("the engine could not start");
  } else {
    const KnownAnswerReport report = run_known_answer(known_answer_, &pipeline_);
    status_ = status_of(report.result);
    explain(report, TextLine(reason_, sizeof reason_));
  }
  char line[kMaxTextBytes + 1];
  TextLine text(line, sizeof line);
  text.text("hardwear on ").text(board_.name()).text(", engine ").text(classifier_.name()).text(", bundle ");
  for (size_t i = 0; i < sizeof kIdentity; ++i) text.hex(kIdentity[i], 2);
  text.text(status_ == Status::kReady ? ", ready" : ", refuses to predict");
  log(line);
  if (status_ != Status::kReady) log(reason_);
  return status_;
}

void Session::receive(const uint8_t* bytes, size_t count_of_bytes) {
  for (size_t i = 0; i < count_of_bytes; ++i) {
    switch (receiver_.push(bytes[i])) {
      case FrameStatus::kPending:
        break;
      case FrameStatus::kFrame:
        count(&counters_.frames);
        execute(receiver_.frame());
        break;
      case FrameStatus::kBadCobs:
        reject_damaged(ErrorCode::kBadFrame, &counters_.bad_cobs, "cut frame");
        break;
      case FrameStatus::kBadCrc:
        reject_damaged(ErrorCode::kBadCrc, &counters_.bad_crc, "CRC differs");
        break;
      case FrameStatus::kTooShort:
        reject_damaged(ErrorCode::kTooShort, &counters_.too_short, "frame shorter than header and CRC");
        break;
      case FrameStatus::kTooLong:
        reject_damaged(ErrorCode::kTooLong, &counters_.too_long, "frame longer than the largest payload");
        break;
      case FrameStatus::kBadVersion:
        reject(receiver_.frame(), ErrorCode::kBadVersion, &counters_.bad_version, kProtocolVersion,
               "other protocol version");
        break;
    }
  }
}

void Session::log(const char* text) {
  char line[kMaxTextBytes + 1];
  TextLine(line, sizeof line).text(text);
  uint8_t frame[kFrameOverheadBytes + kMaxTextBytes];
  FrameWriter writer(frame, sizeof frame);
  writer.begin(kLogType, 0);
  writer.text(line);
  transmit(frame, writer.finish());
}

void Session::on_prediction(const PredictionPacket& packet) {
  if (!live_on_) return;
  uint8_t bytes[kPredictionPacketBytes];
  encode_prediction(packet, bytes);
  uint8_t frame[kFrameOverheadBytes + kPredictionPacketBytes];
  FrameWriter writer(frame, sizeof frame);
  writer.begin(kLiveType, 0);
  writer.bytes(bytes, sizeof bytes);
  transmit(frame, writer.finish());
}

void Session::execute(const Frame& request) {
  if (answer_is_repeatable_ && request.sequence == answered_sequence_ && request.crc == answered_crc_) {
    count(&counters_.duplicates);
    transmit(answer_, answer_size_);
    return;
  }
  answer_is_repeatable_ = false;  // window() and stream() set it again once they have executed
  switch (static_cast<RequestType>(request.type)) {
    case RequestType::kHello:
      return hello(request);
    case RequestType::kWindow:
      return window(request);
    case RequestType::kStream:
      return stream(request);
    case RequestType::kStats:
      return stats(request);
    case RequestType::kReset:
      return reset(request);
    case RequestType::kLive:
      return live(request);
    case RequestType::kConfig:
      return config(request);
    case RequestType::kCalibrate:
      return calibrate(request);
    case RequestType::kUnlock:
      return unlock(request);
  }
  // These are our own, come back from a terminal that echoes. To answer them would never end.
  if (request.type == kErrorType || request.type == kLogType || request.type == kLiveType) {
    return count(&counters_.unknown_type);
  }
  reject(request, ErrorCode::kUnknownType, &counters_.unknown_type, request.type, "unknown type");
}

void Session::hello(const Frame& request) {
  if (request.size != 0) return reject(request, ErrorCode::kBadLength, &counters_.bad_length, 0, "HELLO is empty");
  begin_answer(request);
  writer_.u8(kContractVersion);
  writer_.u8(static_cast<uint8_t>(status_));
  writer_.bytes(kIdentity, sizeof kIdentity);
  writer_.u8(kChannelCount);
  writer_.u8(kClassCount);
  writer_.u16(kWindowSamples);
  writer_.u16(kHopSamples);
  writer_.u16(kEmbeddingSize);
  writer_.u16(kMaxPayloadBytes);
  writer_.u16(board_.receive_capacity());
  writer_.u8(static_cast<uint8_t>(board_.time_unit()));
  writer_.u8(static_cast<uint8_t>(kSampleRateHz));
  writer_.u32(classifier_.arena_bytes());
  writer_.padded_text(classifier_.name(), 16);
  writer_.padded_text(board_.name(), 16);
  finish_answer();
}

void Session::window(const Frame& request) {
  constexpr size_t kBytes = kWindowSamples * kSampleBytes;
  if (request.size != kBytes) {
    return reject(request, ErrorCode::kBadLength, &counters_.bad_length, kBytes, "WINDOW holds one window");
  }
  if (!may_predict(request)) return;
  for (size_t i = 0; i < kWindowSamples; ++i) {
    int16_t sample[kChannelCount];
    load_sample(request.payload + i * kSampleBytes, sample);
    pipeline_.set_input_sample(i, sample);
  }
  Prediction prediction;
  if (pipeline_.infer(&prediction) != Outcome::kPrediction) {
    return reject(request, ErrorCode::kEngineFailed, &counters_.engine_failures, 0, "the engine failed");
  }
  note_prediction(prediction);
  begin_answer(request);
  put_prediction(prediction);
  finish_answer();
  answer_is_repeatable_ = true;
}

void Session::stream(const Frame& request) {
  // A chunk is checked whole before its first sample moves the filters.
  if (request.size < kChunkHeaderBytes) {
    return reject(request, ErrorCode::kBadLength, &counters_.bad_length, kChunkHeaderBytes, "STREAM lacks its header");
  }
  const uint8_t flags = request.payload[0];
  const uint32_t first_sample = load_u32(request.payload + 1);
  const uint8_t samples = request.payload[5];
  if (samples > kMaxChunkSamples) {
    return reject(request, ErrorCode::kBadValue, &counters_.bad_value, kMaxChunkSamples, "too many samples");
  }
  const size_t expected_size = kChunkHeaderBytes + samples * kSampleBytes;
  if (request.size != expected_size) {
    return reject(request, ErrorCode::kBadLength, &counters_.bad_length, static_cast<uint32_t>(expected_size),
                  "STREAM's length and count differ");
  }
  if ((flags & ~(kFlagRestart | kFlagEnd)) != 0) {
    return reject(request, ErrorCode::kBadValue, &counters_.bad_value, kFlagRestart | kFlagEnd, "unknown flags");
  }
  if (!may_predict(request)) return;
  const bool restart = (flags & kFlagRestart) != 0;
  if (!restart) {
    switch (stream_) {
      case StreamState::kRunning:
        break;
      case StreamState::kEnded:
        return reject(request, ErrorCode::kBadValue, &counters_.bad_value, 0, "the stream has ended; restart it");
      case StreamState::kBroken:
        return reject(request, ErrorCode::kEngineFailed, &counters_.engine_failures, 0,
                      "the engine failed in this stream; restart it");
    }
  }
  const uint32_t expected_sample = restart ? 0 : next_sample_;
  if (first_sample != expected_sample) {
    return reject(request, ErrorCode::kStreamGap, &counters_.stream_gaps, expected_sample,
                  "samples are missing or repeated");
  }

  if (restart) {
    pipeline_.reset();
    next_sample_ = 0;
    stream_ = StreamState::kRunning;
  }
  Prediction predictions[kMaxPredictionsPerChunk];
  uint8_t due = 0;
  const bool end = (flags & kFlagEnd) != 0;
  for (size_t i = 0; i < static_cast<size_t>(samples) + (end ? 1 : 0); ++i) {
    Outcome outcome;
    if (i < samples) {
      int16_t raw[kChannelCount];
      load_sample(request.payload + kChunkHeaderBytes + i * kSampleBytes, raw);
      outcome = pipeline_.push(raw, &predictions[due]);
      ++next_sample_;
      count(&counters_.stream_samples);
    } else {
      outcome = pipeline_.flush(&predictions[due]);
    }
    switch (outcome) {
      case Outcome::kPending:
        break;
      case Outcome::kPrediction:
        note_prediction(predictions[due++]);
        break;
      case Outcome::kEngineFailed:
        stream_ = StreamState::kBroken;
        return reject(request, ErrorCode::kEngineFailed, &counters_.engine_failures, 0, "the engine failed");
    }
  }
  if (end) stream_ = StreamState::kEnded;

  begin_answer(request);
  writer_.u32(next_sample_);
  writer_.u8(due);
  for (uint8_t i = 0; i < due; ++i) {
    writer_.u32(predictions[i].end_sample);
    put_prediction(predictions[i]);
  }
  finish_answer();
  answer_is_repeatable_ = true;
}

void Session::stats(const Frame& request) {
  if (request.size != 0) return reject(request, ErrorCode::kBadLength, &counters_.bad_length, 0, "STATS is empty");
  counters_.receive_overruns = board_.receive_overruns();
  counters_.stack_high_water = board_.stack_high_water_bytes();
  const uint32_t values[] = {
      counters_.frames,       counters_.duplicates,       counters_.bad_cobs,        counters_.bad_crc,
      counters_.too_short,    counters_.too_long,         counters_.bad_version,     counters_.unknown_type,
      counters_.bad_length,   counters_.bad_value,        counters_.stream_gaps,     counters_.refused,
      counters_.engine_failures, counters_.windows,       counters_.stream_samples,  counters_.max_time,
      counters_.receive_overruns, counters_.stack_high_water,
  };
  static_assert(sizeof values == sizeof(Counters), "every counter is told");
  begin_answer(request);
  writer_.u16(kCounterCount);
  for (const uint32_t value : values) writer_.u32(value);
  finish_answer();
}

void Session::reset(const Frame& request) {
  if (request.size != 0) return reject(request, ErrorCode::kBadLength, &counters_.bad_length, 0, "RESET is empty");
  pipeline_.reset();
  stream_ = StreamState::kRunning;
  next_sample_ = 0;
  live_on_ = false;
  counters_ = {};
  begin_answer(request);
  finish_answer();
}

void Session::live(const Frame& request) {
  if (!has_sensor(request)) return;
  if (request.size != 1) {
    return reject(request, ErrorCode::kBadLength, &counters_.bad_length, 1, "LIVE holds one byte");
  }
  if (request.payload[0] > 1) {
    return reject(request, ErrorCode::kBadValue, &counters_.bad_value, 1, "LIVE is 0 or 1");
  }
  live_on_ = request.payload[0] == 1;
  begin_answer(request);
  writer_.u8(request.payload[0]);
  finish_answer();
}

void Session::config(const Frame& request) {
  if (!has_sensor(request)) return;
  if (request.size != 0) {
    Config config;
    if (!parse_config(request.payload, request.size, &config)) {
      if (request.size != kConfigBytes) {
        return reject(request, ErrorCode::kBadLength, &counters_.bad_length, kConfigBytes,
                      "CONFIG is empty or one configuration");
      }
      return reject(request, ErrorCode::kBadValue, &counters_.bad_value, kConfigVersion,
                    "a setting is out of range, or of another version");
    }
    live_->apply(config);
  }
  uint8_t bytes[kConfigBytes];
  encode_config(live_->config(), bytes);
  begin_answer(request);
  writer_.bytes(bytes, sizeof bytes);
  finish_answer();
}

void Session::calibrate(const Frame& request) {
  if (!has_sensor(request)) return;
  if (request.size != 0) {
    CalibrationCommand command;
    if (!parse_calibration(request.payload, request.size, &command)) {
      if (request.size != 1 && request.size != kCalibrationSetBytes) {
        return reject(request, ErrorCode::kBadLength, &counters_.bad_length, kCalibrationSetBytes,
                      "CALIBRATE is empty or one command");
      }
      return reject(request, ErrorCode::kBadValue, &counters_.bad_value, 0, "no such command, or not a rotation");
    }
    live_->calibrate(command);
  }
  uint8_t bytes[kCalibrationPacketBytes];
  encode_calibration(live_->calibration(), bytes);
  begin_answer(request);
  writer_.bytes(bytes, sizeof bytes);
  finish_answer();
}

void Session::unlock(const Frame& request) {
  if (!has_sensor(request)) return;
  if (request.size != 0) return reject(request, ErrorCode::kBadLength, &counters_.bad_length, 0, "UNLOCK is empty");
  live_->open_writes();
  begin_answer(request);
  writer_.u16(static_cast<uint16_t>(kWriteWindowMs / 1000));
  finish_answer();
}

bool Session::has_sensor(const Frame& request) {
  if (live_ != nullptr) return true;
  reject(request, ErrorCode::kNoSensor, &counters_.refused, 0, "no sensor: this board only replays");
  return false;
}

bool Session::may_predict(const Frame& request) {
  switch (status_) {
    case Status::kReady:
      return true;
    case Status::kEngineFailed:
      reject(request, ErrorCode::kEngineFailed, &counters_.engine_failures, 0, reason_);
      return false;
    case Status::kConditioningDiffers:
    case Status::kModelDiffers:
    case Status::kConfidenceDiffers:
    case Status::kNotBooted:
      reject(request, ErrorCode::kRefused, &counters_.refused, static_cast<uint32_t>(status_), reason_);
      return false;
  }
  return false;
}

void Session::reject_damaged(ErrorCode code, uint32_t* counter, const char* text) {
  count(counter);
  send_error(0, code, 0, 0, text);
}

void Session::reject(const Frame& request, ErrorCode code, uint32_t* counter, uint32_t detail, const char* text) {
  count(counter);
  send_error(request.sequence, code, request.type, detail, text);
}

void Session::send_error(uint16_t sequence, ErrorCode code, uint8_t request_type, uint32_t detail, const char* text) {
  uint8_t frame[kFrameOverheadBytes + kErrorBytes];
  FrameWriter writer(frame, sizeof frame);
  writer.begin(kErrorType, sequence);
  writer.u8(static_cast<uint8_t>(code));
  writer.u8(request_type);
  writer.u32(detail);
  writer.text(text);
  transmit(frame, writer.finish());
}

void Session::begin_answer(const Frame& request) {
  answered_sequence_ = request.sequence;
  answered_crc_ = request.crc;
  writer_.begin(request.type | kAnswerBit, request.sequence);
}

void Session::finish_answer() {
  answer_size_ = writer_.finish();
  transmit(answer_, answer_size_);
}

void Session::put_prediction(const Prediction& prediction) {
  writer_.u8(prediction.activity);
  writer_.i8(prediction.inference.logits, kClassCount);
  writer_.bytes(prediction.probabilities, kClassCount);
  writer_.u32(prediction.time);
  writer_.i8(prediction.inference.embedding, kEmbeddingSize);
}

void Session::note_prediction(const Prediction& prediction) {
  count(&counters_.windows);
  if (prediction.time > counters_.max_time) counters_.max_time = prediction.time;
}

void Session::transmit(const uint8_t* frame, size_t size) {
  if (size == 0) return;  // can't be: every frame has its buffer by static_assert
  board_.send(wire_, encode_wire(frame, size, wire_));
}

}  // namespace hardwear
