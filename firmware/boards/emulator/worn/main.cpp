// The wearable on the emulated chip: its sensor is a virtual LSM9DS1, its wearer a host on the serial line, and time
// passes when the host says so. For the test that the chip's packets are Python's.
//
//   t us32 n16 samples  takes n samples (6 x i16: acceleration, rate, in steps on the sensor's axes), of which the sensor
//                       will take one after the other; lets us microseconds pass, reads the sensor, and answers: its clock
//                       in microseconds, u32, how many samples it has taken since the start, u32, how many the driver has
//                       now handed out, u16, whether samples were lost before these, u8, packets, u8, and each packet, 20 B
//   w c8 n8 bytes       writes n bytes to the BLE characteristic c, answers the service's WriteResult, u8
//   o                   opens writing for a minute, answers 0, u8
//
// Before the first letter it takes n16 and n samples: the sensor takes some while it is started. All numbers are
// little-endian.
#include "boards/emulator/instruction_counter.h"
#include "boards/emulator/uart.h"
#include "boards/ram_storage.h"
#include "core/bytes.h"
#include "core/known_answer.h"
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

// Hears what the driver hands out.
class Watched final : public Imu {
 public:
  explicit Watched(Imu& imu) : imu_(imu) {}

  const char* name() const override { return imu_.name(); }
  uint32_t nominal_rate_millihertz() const override { return imu_.nominal_rate_millihertz(); }
  uint16_t fifo_capacity() const override { return imu_.fifo_capacity(); }
  bool begin() override { return imu_.begin(); }
  ImuRead read(int16_t (*out)[kChannelCount], uint16_t capacity) override {
    const ImuRead read = imu_.read(out, capacity);
    samples = static_cast<uint16_t>(samples + read.samples);
    overrun = overrun || read.overrun;
    return read;
  }
  bool sleep_until_motion() override { return imu_.sleep_until_motion(); }
  bool moved() override { return imu_.moved(); }
  bool wake() override { return imu_.wake(); }

  uint16_t samples = 0;
  bool overrun = false;

 private:
  Imu& imu_;
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
Lsm9ds1 driver(sensor, kNano33BleSenseRev1);
Watched imu(driver);
Acquisition acquisition;
RamStorage<256> memory;
SettingsStore store(memory);
Packets packets;
Wearable wearable(board, classifier, acquisition, store, packets);
NoRadio radio;
WearableService service(radio, wearable);

void read_samples() {
  for (uint16_t n = read_u16(); n > 0; --n) {
    int16_t sample[6];
    for (int16_t& value : sample) value = static_cast<int16_t>(read_u16());
    motion.push(sample);
  }
}

void let_time_pass() {
  const uint32_t us = read_u32();
  read_samples();
  sensor.advance_us(us);
  const uint32_t now_us = static_cast<uint32_t>(sensor.now_us());
  const uint32_t now_ms = static_cast<uint32_t>(sensor.now_us() / 1000);
  imu.samples = 0;
  imu.overrun = false;
  acquisition.run(now_us);
  packets.count = 0;
  do {
    wearable.step(now_ms);
  } while (acquisition.front() != nullptr);
  service.poll(now_ms);

  uint8_t answer[12];
  store_u32(answer, now_us);
  store_u32(answer + 4, sensor.sampled());
  store_u16(answer + 8, imu.samples);
  answer[10] = imu.overrun;
  answer[11] = packets.count;
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
  sensor.supply(Motion::give, &motion);
  read_samples();
  static Pipeline pipeline(classifier, board);
  const bool ready = classifier.begin() && run_known_answer(kKnownAnswer, &pipeline).result == KnownAnswerResult::kEqual;
  acquisition.begin(&imu, 0);
  wearable.begin({ready, ImuKind::kLsm9ds1, 0, 0}, 0);
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
