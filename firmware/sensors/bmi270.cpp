#include "sensors/bmi270.h"

#include "core/bytes.h"

namespace hardwear {
namespace {

constexpr uint8_t kIntStatus0 = 0x1C;
constexpr uint8_t kInternalStatus = 0x21;
constexpr uint8_t kFifoLength = 0x24;
constexpr uint8_t kFifoData = 0x26;
constexpr uint8_t kFeatPage = 0x2F;
constexpr uint8_t kFeatures = 0x30;
constexpr uint8_t kAccConf = 0x40;
constexpr uint8_t kAccRange = 0x41;
constexpr uint8_t kGyrConf = 0x42;
constexpr uint8_t kGyrRange = 0x43;
constexpr uint8_t kFifoDowns = 0x45;
constexpr uint8_t kFifoConfig0 = 0x48;
constexpr uint8_t kFifoConfig1 = 0x49;
constexpr uint8_t kIntLatch = 0x55;
constexpr uint8_t kInt1MapFeat = 0x56;
constexpr uint8_t kInitCtrl = 0x59;
constexpr uint8_t kInitAddr0 = 0x5B;
constexpr uint8_t kInitData = 0x5E;
constexpr uint8_t kPwrConf = 0x7C;
constexpr uint8_t kPwrCtrl = 0x7D;
constexpr uint8_t kCmd = 0x7E;

constexpr uint8_t kSoftReset = 0xB6;
constexpr uint8_t kFifoFlush = 0xB0;
constexpr uint8_t kSavePower = 0x03;  // advanced power save, FIFO self wake-up
constexpr uint8_t kAwake = 0x00;
constexpr uint8_t kInitMessage = 0x0F;
constexpr uint8_t kInitOk = 0x01;
constexpr uint8_t kAnyMotion = 0x40;
constexpr uint8_t kAccelerometer = 0x04;
constexpr uint8_t kGyroscope = 0x02;

// FIFO headers; the two lowest bits are tags of pins that are not used.
constexpr uint8_t kHeaderMask = 0xFC;
constexpr uint8_t kHeaderBoth = 0x8C;
constexpr uint8_t kHeaderRateOnly = 0x88;
constexpr uint8_t kHeaderAccelerationOnly = 0x84;
constexpr uint8_t kHeaderSkip = 0x40;
constexpr uint8_t kHeaderTime = 0x44;
constexpr uint8_t kHeaderInputConfig = 0x48;
constexpr uint8_t kHeaderEmpty = 0x80;

constexpr int32_t kAccelerationMultiplier =
    scale_multiplier(Part::kBmi270, Quantity::kAcceleration, kAccelerationRangeG);
constexpr int32_t kRateMultiplier = scale_multiplier(Part::kBmi270, Quantity::kRate, kBmi270RateRangeDps);
static_assert(kAccelerationRangeG == 4 && kBmi270RateRangeDps == 1000, "the register values below set these ranges");
static_assert(kAccelerationMultiplier > 0 && kRateMultiplier > 0, "the ranges stand in the table of scales");

// Both sensors with their normal filter, some 40 Hz wide at this rate. Of a full FIFO the oldest frames are dropped,
// and headers are on: without them nothing tells that.
constexpr Setting kSampling[] = {
    {kAccConf, 0xA8},    // 100 Hz, normal bandwidth, continuous filter
    {kAccRange, 0x01},   // +-4 g
    {kGyrConf, 0xA8},    // 100 Hz, normal bandwidth, continuous filter
    {kGyrRange, 0x01},   // +-1000 degrees per second
    {kFifoDowns, 0x88},  // filtered data, all of them
    {kFifoConfig0, 0x00},
    {kFifoConfig1, 0xD0},  // angular rate, acceleration, headers
    {kPwrCtrl, kAccelerometer | kGyroscope},
};

constexpr Setting kResting[] = {
    {kFifoConfig1, 0x00},
    {kPwrCtrl, kAccelerometer},
    {kAccConf, 0x27},  // 50 Hz, the least that any-motion works with, averaging four samples in low power
    {kIntLatch, 0x01},  // so that moved() finds what was between two looks
    {kInt1MapFeat, kAnyMotion},  // the pin itself stays off
};

constexpr Setting kRoused[] = {{kInt1MapFeat, 0x00}, {kIntLatch, 0x00}};

// Any-motion: page 1, bytes 12 to 15.
constexpr uint8_t kAnyMotionPage = 1;
constexpr uint8_t kAnyMotionAt = 12;
constexpr uint16_t kAllAxesFor100Ms = 0xE005;   // x, y, z; five times 20 ms
constexpr uint16_t kOutputField = 0x7800;       // which bit of INT_STATUS_0 it sets: stays as loaded
constexpr uint16_t kEnable = 0x8000;
constexpr uint16_t kMotionThreshold = (kMotionMilliG * 2048 + 500) / 1000;  // steps of 1/2048 g
static_assert(kMotionThreshold == 0xAA, "the maker's default");

constexpr uint32_t kResetMs = 3;       // 2 ms by the data sheet
constexpr uint32_t kPowerSaveMs = 1;   // 450 us
constexpr uint32_t kInitPollMs = 10;   // 20 ms in all
constexpr uint8_t kInitPolls = 15;

}  // namespace

constexpr uint16_t Bmi270::kFifoSamples;

Bmi270::Bmi270(I2cBus& bus, const AxisMap& axes, const uint8_t* configuration, uint16_t size)
    : registers_(bus, kAddress),
      decoding_{kAccelerationMultiplier, kRateMultiplier, axes},
      configuration_(configuration),
      configuration_bytes_(size) {}

bool Bmi270::fail(const char* why) {
  fault_ = why;
  return false;
}

bool Bmi270::begin() {
  mode_ = Mode::kOff;
  fault_ = "";
  uint8_t id = 0;
  if (!registers_.get(kIdRegister, &id)) return fail("BMI270: no answer");
  if (id != kId) return fail("BMI270: CHIP_ID is another part's");
  if (configuration_ == nullptr || configuration_bytes_ == 0) {
    return fail("BMI270: built without its configuration file, which the library Arduino_BMI270_BMM150 has");
  }
  if (!registers_.set(kCmd, kSoftReset)) return fail("BMI270: can't be reset");
  registers_.wait_ms(kResetMs);
  if (!load()) return fail("BMI270: its configuration file was not taken");
  if (!start()) return fail("BMI270: a setting did not hold");
  return true;
}

bool Bmi270::load() {
  if (!registers_.set(kPwrConf, kAwake)) return false;
  registers_.wait_ms(kPowerSaveMs);
  if (!registers_.set(kInitCtrl, 0)) return false;
  constexpr uint16_t kChunk = 240;  // even: addresses count words
  static_assert(kChunk <= I2cBus::kMaxBytes, "a chunk is one transaction");
  for (uint16_t done = 0; done < configuration_bytes_;) {
    const uint16_t left = configuration_bytes_ - done;
    const uint16_t n = left < kChunk ? left : kChunk;
    const uint16_t word = done / 2;
    const uint8_t address[] = {static_cast<uint8_t>(word & 0x0F), static_cast<uint8_t>(word >> 4)};
    if (!registers_.set(kInitAddr0, address, sizeof address)) return false;
    if (!registers_.set(kInitData, configuration_ + done, n)) return false;
    done += n;
  }
  if (!registers_.set(kInitCtrl, 1)) return false;
  for (uint8_t poll = 0; poll < kInitPolls; ++poll) {
    registers_.wait_ms(kInitPollMs);
    uint8_t status = 0;
    if (registers_.get(kInternalStatus, &status) && (status & kInitMessage) == kInitOk) return true;
  }
  return false;
}

bool Bmi270::start() {
  mode_ = Mode::kOff;
  if (!registers_.hold(kSampling) || !registers_.set(kCmd, kFifoFlush)) return false;
  mode_ = Mode::kSampling;
  settling_ = kSettlingSamples;
  lost_ = false;
  return true;
}

ImuRead Bmi270::fail_read(const char* why) {
  fault_ = why;
  return {0, false, true};
}

ImuRead Bmi270::read(int16_t (*out)[kChannelCount], uint16_t capacity) {
  if (mode_ != Mode::kSampling) return fail_read("BMI270: read while it doesn't sample");
  uint8_t length[2];
  if (!registers_.get(kFifoLength, length, sizeof length)) return fail_read("BMI270: FIFO_LENGTH can't be read");
  uint16_t waiting = load_u16(length) & 0x3FFF;
  bool overrun = lost_;
  uint16_t taken = 0;
  while (waiting > 0 && taken < capacity) {
    const uint32_t room = static_cast<uint32_t>(capacity - taken) * kFrameBytes;
    uint16_t n = waiting < kBurstBytes ? waiting : kBurstBytes;
    if (n > room) n = static_cast<uint16_t>(room);
    // The length may leave a skip frame out, which then pushes the last frame beyond it; reading on is harmless.
    if (n < kFrameBytes) n = kFrameBytes;
    if (!registers_.get(kFifoData, burst_, n)) {
      lost_ = true;
      return fail_read("BMI270: a burst from the FIFO broke off");
    }
    // Only whole frames leave the FIFO: one that the burst cuts off comes again with the next.
    const Parsed parsed = parse(n, out + taken, capacity - taken);
    if (!parsed.intelligible) {
      lost_ = true;
      registers_.set(kCmd, kFifoFlush);  // if this fails too, the next read does
      return fail_read("BMI270: the FIFO holds what is no frame");
    }
    overrun = overrun || parsed.skipped;
    taken += parsed.samples;
    if (parsed.bytes == 0) break;
    waiting -= parsed.bytes < waiting ? parsed.bytes : waiting;
  }
  lost_ = false;
  return {taken, overrun, false};
}

Bmi270::Parsed Bmi270::parse(uint16_t n, int16_t (*out)[kChannelCount], uint16_t room) {
  Parsed parsed = {0, 0, false, true};
  while (parsed.bytes < n) {
    const uint8_t* frame = burst_ + parsed.bytes;
    uint16_t size = 0;
    switch (frame[0] & kHeaderMask) {
      case kHeaderBoth:
        size = kFrameBytes;
        break;
      case kHeaderRateOnly:
      case kHeaderAccelerationOnly:
        size = 7;
        break;
      case kHeaderSkip:
        size = 2;
        break;
      case kHeaderTime:
        size = 4;
        break;
      case kHeaderInputConfig:
        size = 5;
        break;
      case kHeaderEmpty:  // read on after the last frame
        return parsed;
      default:
        parsed.intelligible = false;
        return parsed;
    }
    if (parsed.bytes + size > n) return parsed;
    parsed.bytes += size;
    switch (frame[0] & kHeaderMask) {
      case kHeaderBoth:
        if (settling_ > 0) {
          --settling_;
        } else if (parsed.samples < room) {
          decode_sample(decoding_, frame + 7, frame + 1, out[parsed.samples]);
          ++parsed.samples;
        }
        break;
      case kHeaderRateOnly:
      case kHeaderAccelerationOnly:
        // While one sensor comes up the other is alone; later it would be a sample that lacks half.
        if (settling_ == 0) parsed.skipped = true;
        break;
      case kHeaderSkip:
        parsed.skipped = true;
        break;
      default:
        break;
    }
  }
  return parsed;
}

bool Bmi270::set_any_motion(bool on) {
  if (!registers_.set(kFeatPage, kAnyMotionPage)) return false;
  uint8_t page[kPageBytes];
  if (!registers_.get(kFeatures, page, sizeof page)) return false;
  const uint16_t output = load_u16(page + kAnyMotionAt + 2) & kOutputField;
  store_u16(page + kAnyMotionAt, kAllAxesFor100Ms);
  store_u16(page + kAnyMotionAt + 2, static_cast<uint16_t>(output | kMotionThreshold | (on ? kEnable : 0)));
  return registers_.set(kFeatures, page, sizeof page) && registers_.set(kFeatPage, 0);
}

bool Bmi270::sleep_until_motion() {
  if (mode_ != Mode::kSampling) return fail("BMI270: put to sleep while it doesn't sample");
  mode_ = Mode::kOff;
  uint8_t status = 0;
  if (!registers_.hold(kResting) || !set_any_motion(true) || !registers_.get(kIntStatus0, &status) ||
      !registers_.set(kPwrConf, kSavePower)) {
    return fail("BMI270: a setting did not hold");
  }
  mode_ = Mode::kAsleep;
  return true;
}

bool Bmi270::moved() {
  if (mode_ != Mode::kAsleep) return true;
  uint8_t status = 0;
  return !registers_.get(kIntStatus0, &status) || (status & kAnyMotion) != 0;
}

bool Bmi270::wake() {
  mode_ = Mode::kOff;
  if (!registers_.set(kPwrConf, kAwake)) return fail("BMI270: can't be woken");
  registers_.wait_ms(kPowerSaveMs);
  if (!set_any_motion(false) || !registers_.hold(kRoused) || !start()) return fail("BMI270: a setting did not hold");
  return true;
}

}  // namespace hardwear
