// A worn board as a host program (tests/ble): the wearable, its BLE service and its serial session, as on the Nano. What
// sensor, radio and cable bring comes on standard input, what goes out to radio and cable comes on standard output. Time
// passes with the motion alone. Ends with its input.
//
// In: u8 command, u16 size, payload. Out: u8 kind, u8 characteristic, u16 size, payload. Little-endian. A command is
// answered by what it sets off and then by kDone.
#include <cstdio>
#include <cstring>

#include "boards/native/native_board.h"
#include "boards/ram_storage.h"
#include "core/bytes.h"
#include "core/gatt.h"
#include "core/session.h"
#include "core/wearable.h"
#include "core/wearable_service.h"
#include "engines/compiled/compiled_classifier.h"
#include "generated/known_answer.h"

namespace {

using hardwear::Characteristic;
using hardwear::kChannelCount;

enum class Command : uint8_t {
  kMotion = 'M',     // samples of the sensor, 6 x i16 counts each, 10 ms apart
  kLink = 'L',       // u8: bonded, u16: MTU; a central has come or gone
  kSubscribe = 'S',  // u8: characteristic, u8: on
  kWrite = 'W',      // u8: characteristic, what the central writes
  kCable = 'H',      // bytes from the host on the cable
  kKnock = 'K',      // the wearer allows changes
};

enum class Kind : uint8_t {
  kService = 'G',  // at start: UUID
  kRow = 'R',      // at start, of each characteristic: u8 properties, UUID, NUL, description
  kValue = 'V',
  kNotification = 'N',
  kCable = 'H',
  kDone = 'D',
};

constexpr size_t kMaxPayload = 8192;
constexpr size_t kSampleBytes = kChannelCount * 2;
constexpr uint32_t kSampleUs = 10000;
constexpr uint16_t kSamplesPerLook = 10;

void put(Kind kind, uint8_t characteristic, const void* bytes, size_t size) {
  const uint8_t header[] = {static_cast<uint8_t>(kind), characteristic, static_cast<uint8_t>(size),
                            static_cast<uint8_t>(size >> 8)};
  std::fwrite(header, 1, sizeof header, stdout);
  std::fwrite(bytes, 1, size, stdout);
}

class PipedBoard final : public hardwear::NativeBoard {
 public:
  void send(const uint8_t* bytes, size_t count) override { put(Kind::kCable, 0, bytes, count); }
};

class PipedStack final : public hardwear::Peripheral {
 public:
  bool notify(Characteristic characteristic, const uint8_t* bytes, size_t size) override {
    if (!subscribed(characteristic)) return false;
    put(Kind::kNotification, static_cast<uint8_t>(characteristic), bytes, size);
    return true;
  }
  void set_value(Characteristic characteristic, const uint8_t* bytes, size_t size) override {
    put(Kind::kValue, static_cast<uint8_t>(characteristic), bytes, size);
  }
  bool subscribed(Characteristic characteristic) override { return subscribed_[static_cast<uint8_t>(characteristic)]; }
  uint16_t mtu() override { return mtu_; }
  bool bonded() override { return bonded_; }

  void set_link(bool bonded, uint16_t mtu) {
    bonded_ = bonded;
    mtu_ = mtu;
    std::memset(subscribed_, 0, sizeof subscribed_);  // a central subscribes anew after each connection
  }
  void subscribe(uint8_t characteristic, bool on) {
    if (characteristic < hardwear::kCharacteristicCount) subscribed_[characteristic] = on;
  }

 private:
  bool subscribed_[hardwear::kCharacteristicCount] = {};
  uint16_t mtu_ = 23;
  bool bonded_ = false;
};

// A sensor that has sampled what it was fed.
class FedImu final : public hardwear::Imu {
 public:
  const char* name() const override { return "fed"; }
  uint32_t nominal_rate_millihertz() const override { return 1000000000u / kSampleUs; }
  uint16_t fifo_capacity() const override { return kSamplesPerLook; }
  bool begin() override { return true; }
  hardwear::ImuRead read(int16_t (*out)[kChannelCount], uint16_t capacity) override {
    const uint16_t count = samples_ < capacity ? samples_ : capacity;
    std::memcpy(out, fifo_, count * sizeof fifo_[0]);
    samples_ = static_cast<uint16_t>(samples_ - count);
    std::memmove(fifo_, fifo_ + count, samples_ * sizeof fifo_[0]);
    return {count, false, false};
  }
  bool sleep_until_motion() override { return true; }
  bool moved() override { return samples_ > 0; }
  bool wake() override { return true; }

  void feed(const uint8_t* bytes, uint16_t samples) {
    samples_ = samples;
    for (uint16_t i = 0; i < samples * kChannelCount; ++i) {
      fifo_[i / kChannelCount][i % kChannelCount] = hardwear::load_i16(bytes + 2 * i);
    }
  }

 private:
  int16_t fifo_[kSamplesPerLook][kChannelCount];
  uint16_t samples_ = 0;
};

// Everything is told over both ways.
class Teller final : public hardwear::WearableListener {
 public:
  void on_prediction(const hardwear::PredictionPacket& packet) override;
  void on_sample(uint16_t number, const int16_t sample[kChannelCount]) override;
  void on_calibration(const hardwear::CalibrationPacket& packet) override;
  void on_double_tap() override;
};

PipedBoard board;
hardwear::CompiledClassifier classifier;
FedImu imu;
hardwear::Acquisition acquisition;
hardwear::RamStorage<512> memory;
hardwear::SettingsStore store(memory);
Teller teller;
hardwear::Wearable wearable(board, classifier, acquisition, store, teller);
PipedStack stack;
hardwear::WearableService service(stack, wearable);
hardwear::Session session(board, classifier, hardwear::kKnownAnswer, &service);
uint32_t now_us = 0;

void Teller::on_prediction(const hardwear::PredictionPacket& packet) {
  service.on_prediction(packet);
  session.on_prediction(packet);
}
void Teller::on_sample(uint16_t number, const int16_t sample[kChannelCount]) { service.on_sample(number, sample); }
void Teller::on_calibration(const hardwear::CalibrationPacket& packet) { service.on_calibration(packet); }
void Teller::on_double_tap() { service.on_double_tap(); }

void tell_table() {
  put(Kind::kService, 0, hardwear::kServiceUuid, sizeof hardwear::kServiceUuid - 1);
  for (uint8_t i = 0; i < hardwear::kCharacteristicCount; ++i) {
    const hardwear::GattRow& row = hardwear::kGatt[i];
    char text[128];
    const int size = std::snprintf(text, sizeof text, "%c%s%c%s", row.properties, row.uuid, '\0', row.description);
    put(Kind::kRow, i, text, static_cast<size_t>(size));
  }
}

void move(const uint8_t* samples, size_t count) {
  while (count > 0) {
    const uint16_t taken = count < kSamplesPerLook ? static_cast<uint16_t>(count) : kSamplesPerLook;
    imu.feed(samples, taken);
    samples += taken * kSampleBytes;
    count -= taken;
    now_us += taken * kSampleUs;
    acquisition.run(now_us);
    do {
      wearable.step(now_us / 1000);
    } while (acquisition.front() != nullptr);
    service.poll(now_us / 1000);
  }
}

bool execute(Command command, const uint8_t* payload, size_t size) {
  switch (command) {
    case Command::kMotion:
      move(payload, size / kSampleBytes);
      return size % kSampleBytes == 0;
    case Command::kLink:
      if (size == 3) stack.set_link(payload[0] != 0, hardwear::load_u16(payload + 1));
      return size == 3;
    case Command::kSubscribe:
      if (size == 2) stack.subscribe(payload[0], payload[1] != 0);
      return size == 2;
    case Command::kWrite:
      if (size >= 1) service.on_write(static_cast<Characteristic>(payload[0]), payload + 1, size - 1);
      return size >= 1;
    case Command::kCable:
      session.receive(payload, size);
      return true;
    case Command::kKnock:
      service.open_writes();
      return size == 0;
  }
  return false;
}

void done() {
  put(Kind::kDone, 0, "", 0);
  std::fflush(stdout);
}

}  // namespace

int main() {
  tell_table();
  const bool ready = session.boot() == hardwear::Status::kReady;
  acquisition.begin(&imu, now_us);
  wearable.begin({ready, hardwear::ImuKind::kLsm9ds1, 0, 0}, now_us);
  service.begin();
  done();
  uint8_t header[3];
  static uint8_t payload[kMaxPayload];
  while (std::fread(header, 1, sizeof header, stdin) == sizeof header) {
    const size_t size = hardwear::load_u16(header + 1);
    if (size > kMaxPayload || std::fread(payload, 1, size, stdin) != size ||
        !execute(static_cast<Command>(header[0]), payload, size)) {
      std::fprintf(stderr, "peripheral: expected a whole command, got '%c' with %zu bytes\n", header[0], size);
      return 1;
    }
    done();
  }
  return 0;
}
