// The wearable on the emulated chip: its sensor is a virtual LSM9DS1, its wearer a host on the serial line, and time
// passes when the host says so. For the test that the chip's packets are Python's.
//
//   t us32 n16 samples  takes n samples (6 x i16: acceleration, rate, in steps on the sensor's axes) to give to the sensor
//                       one by one, lets us microseconds pass, reads the sensor and answers: how many samples it has
//                       given since the start, u32, how many of them wait in its FIFO, u8, whether samples were lost, u8,
//                       packets, u8, and each packet, 20 B
//   w c8 n8 bytes       writes n bytes to the BLE characteristic c, answers the service's WriteResult, u8
//   o                   opens writing for a minute, answers 0, u8
//
// All numbers are little-endian.
#include <cstring>

#include "boards/emulator/instruction_counter.h"
#include "boards/emulator/uart.h"
#include "core/bytes.h"
#include "core/session.h"
#include "core/wearable.h"
#include "core/wearable_service.h"
#include "engines/compiled/compiled_classifier.h"
#include "generated/known_answer.h"
#include "sensors/lsm9ds1.h"
#include "virtual_lsm9ds1.h"

namespace hardwear {
namespace {

InstructionCounter counter;

uint8_t read_byte() {
  uint8_t byte;
  while (uart_read(&byte, 1) == 0) uart_wait(&counter);
  return byte;
}

uint16_t read_u16() {
  const uint8_t low = read_byte();
  return static_cast<uint16_t>(low | read_byte() << 8);
}

uint32_t read_u32() {
  const uint32_t low = read_u16();
  return low | static_cast<uint32_t>(read_u16()) << 16;
}

class EmulatorBoard final : public Board {
 public:
  const char* name() const override { return "emulator"; }
  uint32_t now() override { return counter.now(); }
  TimeUnit time_unit() const override { return TimeUnit::kInstructions; }
  void send(const uint8_t* bytes, size_t count) override { uart_write(bytes, count); }
  uint16_t receive_capacity() const override { return kUartReceiveCapacity; }
  uint32_t receive_overruns() override { return uart_receive_overruns(); }
  uint32_t stack_high_water_bytes() override { return 0; }
};

// What the host has sent and the sensor not yet sampled.
class Motion {
 public:
  static constexpr uint16_t kCapacity = 256;

  void push(const int16_t sample[6]) {
    for (int i = 0; i < 6; ++i) ring_[head_ % kCapacity][i] = sample[i];
    ++head_;
  }
  static void give(void* context, uint32_t index, int16_t acceleration[3], int16_t rate[3]) {
    const Motion& motion = *static_cast<Motion*>(context);
    if (index >= motion.head_ || motion.head_ - index > kCapacity) __builtin_trap();
    for (int i = 0; i < 3; ++i) {
      acceleration[i] = motion.ring_[index % kCapacity][i];
      rate[i] = motion.ring_[index % kCapacity][3 + i];
    }
  }

 private:
  int16_t ring_[kCapacity][6];
  uint32_t head_ = 0;
};

// A flash that is empty at every start.
class Memory final : public Storage {
 public:
  Memory() { std::memset(bytes_, 0xFF, sizeof bytes_); }
  uint32_t sectors() const override { return 2; }
  uint32_t sector_bytes() const override { return sizeof bytes_ / 2; }
  uint32_t word_bytes() const override { return 4; }
  bool read(uint32_t offset, uint8_t* out, size_t count) override {
    if (!holds(offset, count)) return false;
    std::memcpy(out, bytes_ + offset, count);
    return true;
  }
  bool erase(uint32_t sector) override {
    if (sector >= sectors()) return false;
    std::memset(bytes_ + sector * sector_bytes(), 0xFF, sector_bytes());
    return true;
  }
  bool program(uint32_t offset, const uint8_t* bytes, size_t count) override {
    if (!holds(offset, count) || !aligned(offset, count)) return false;
    for (size_t i = 0; i < count; ++i) bytes_[offset + i] &= bytes[i];
    return true;
  }

 private:
  uint8_t bytes_[2 * 256];
};

class Packets final : public WearableListener {
 public:
  static constexpr uint8_t kCapacity = 8;

  void on_prediction(const PredictionPacket& packet) override {
    if (count < kCapacity) encode_prediction(packet, bytes[count++]);
  }
  void on_sample(uint16_t, const int16_t*) override {}
  void on_calibration(const CalibrationPacket&) override {}
  void on_double_tap() override {}

  uint8_t count = 0;
  uint8_t bytes[kCapacity][kPredictionPacketBytes];
};

// A central that is never there.
class NoRadio final : public Peripheral {
 public:
  bool notify(Characteristic, const uint8_t*, size_t) override { return false; }
  void set_value(Characteristic, const uint8_t*, size_t) override {}
  bool subscribed(Characteristic) override { return false; }
  uint16_t mtu() override { return 23; }
  bool bonded() override { return false; }
};

EmulatorBoard board;
CompiledClassifier classifier;
Motion motion;
VirtualLsm9ds1 sensor;
Lsm9ds1 imu(sensor, kNano33BleSenseRev1);
Acquisition acquisition;
Memory memory;
SettingsStore store(memory);
Packets packets;
Wearable wearable(board, classifier, acquisition, store, packets);
NoRadio radio;
WearableService service(radio, wearable);
Session session(board, classifier, kKnownAnswer);

void let_time_pass() {
  const uint32_t us = read_u32();
  const uint16_t samples = read_u16();
  for (uint16_t n = 0; n < samples; ++n) {
    int16_t sample[6];
    for (int16_t& value : sample) value = static_cast<int16_t>(read_u16());
    motion.push(sample);
  }
  sensor.advance_us(us);
  const uint32_t now_us = static_cast<uint32_t>(sensor.now_us());
  const uint32_t now_ms = static_cast<uint32_t>(sensor.now_us() / 1000);
  const uint32_t overruns = acquisition.overruns();
  acquisition.run(now_us);
  packets.count = 0;
  do {
    wearable.step(now_ms);
  } while (acquisition.front() != nullptr);
  service.poll(now_ms);

  uint8_t answer[7];
  store_u32(answer, sensor.sampled());
  answer[4] = static_cast<uint8_t>(sensor.unread());
  answer[5] = acquisition.overruns() != overruns;
  answer[6] = packets.count;
  uart_write(answer, sizeof answer);
  uart_write(packets.bytes[0], packets.count * sizeof packets.bytes[0]);
}

void write_characteristic() {
  const Characteristic characteristic = static_cast<Characteristic>(read_byte());
  uint8_t bytes[255];
  const uint8_t size = read_byte();
  for (uint8_t i = 0; i < size; ++i) bytes[i] = read_byte();
  const uint8_t result = static_cast<uint8_t>(service.on_write(characteristic, bytes, size));
  uart_write(&result, 1);
}

}  // namespace
}  // namespace hardwear

int main() {
  using namespace hardwear;
  counter.begin();
  uart_begin();
  const bool ready = session.boot() == Status::kReady;
  sensor.supply(Motion::give, &motion);
  // The first samples are taken while the driver starts the sensor: the host sends them unasked.
  for (int n = read_u16(); n > 0; --n) {
    int16_t sample[6];
    for (int16_t& value : sample) value = static_cast<int16_t>(read_u16());
    motion.push(sample);
  }
  acquisition.begin(&imu, 0);
  wearable.begin({ready, ImuKind::kLsm9ds1, 0, 0}, static_cast<uint32_t>(sensor.now_us() / 1000));
  service.begin();
  for (;;) {
    const uint8_t letter = read_byte();
    switch (letter) {
      case 't':
        let_time_pass();
        break;
      case 'w':
        write_characteristic();
        break;
      case 'o': {
        service.open_writes();
        const uint8_t done = 0;
        uart_write(&done, 1);
        break;
      }
      default:
        __builtin_trap();
    }
  }
}
