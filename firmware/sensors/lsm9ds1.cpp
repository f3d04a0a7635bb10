#include "sensors/lsm9ds1.h"

#include "core/bytes.h"

namespace hardwear {
namespace {

// Table 21.
constexpr uint8_t kCtrlReg1G = 0x10;
constexpr uint8_t kCtrlReg2G = 0x11;
constexpr uint8_t kCtrlReg3G = 0x12;
constexpr uint8_t kOutXG = 0x18;
constexpr uint8_t kCtrlReg4 = 0x1E;
constexpr uint8_t kCtrlReg5Xl = 0x1F;
constexpr uint8_t kCtrlReg6Xl = 0x20;
constexpr uint8_t kCtrlReg7Xl = 0x21;
constexpr uint8_t kCtrlReg8 = 0x22;
constexpr uint8_t kCtrlReg9 = 0x23;
constexpr uint8_t kOutXXl = 0x28;
constexpr uint8_t kFifoCtrl = 0x2E;
constexpr uint8_t kFifoSrc = 0x2F;

// Fields of these registers.
constexpr uint8_t kSwReset = 0x01;
constexpr uint8_t kAddressIncrement = 0x04;
constexpr uint8_t kBlockDataUpdate = 0x40;
constexpr uint8_t kFifoEnable = 0x02;
constexpr uint8_t kFifoBypass = 0x00;
constexpr uint8_t kFifoContinuous = 0xC0;
constexpr uint8_t kOverrun = 0x40;
constexpr uint8_t kUnread = 0x3F;
constexpr uint8_t kAllAxes = 0x38;
constexpr uint8_t kPowerDown = 0x00;
constexpr uint8_t kGyro119Hz2000Dps = 0x78;
constexpr uint8_t kAcceleration119Hz4G = 0x70;
// Accelerometer alone, 10 Hz, +-4 g, its 50 Hz anti-aliasing filter instead of the 408 Hz that this rate would choose.
constexpr uint8_t kAcceleration10Hz4G = 0x37;

constexpr int32_t kAccelerationMultiplier =
    scale_multiplier(Part::kLsm9ds1, Quantity::kAcceleration, kAccelerationRangeG);
constexpr int32_t kRateMultiplier = scale_multiplier(Part::kLsm9ds1, Quantity::kRate, kLsm9ds1RateRangeDps);
static_assert(kAccelerationRangeG == 4 && kLsm9ds1RateRangeDps == 2000, "the register values above set these ranges");
static_assert(kAccelerationMultiplier > 0 && kRateMultiplier > 0, "the ranges stand in the table of scales");

// Writing CTRL_REG6_XL last would be the accelerometer's own rate, so the gyroscope's register, which sets both,
// follows it (section 3.1). OUT_SEL = 0 keeps the gyroscope's widest filter, 38 Hz (table 46); the accelerometer's is
// 50 Hz at this rate. The resampler does the rest.
constexpr Setting kSampling[] = {
    {kFifoCtrl, kFifoBypass},  // empties it
    {kCtrlReg8, kBlockDataUpdate | kAddressIncrement},
    {kCtrlReg9, kFifoEnable},
    {kCtrlReg2G, 0},
    {kCtrlReg3G, 0},
    {kCtrlReg4, kAllAxes},
    {kCtrlReg5Xl, kAllAxes},
    {kCtrlReg7Xl, 0},
    {kCtrlReg6Xl, kAcceleration119Hz4G},
    {kCtrlReg1G, kGyro119Hz2000Dps},
    {kFifoCtrl, kFifoContinuous},
};

constexpr Setting kAsleep[] = {
    {kFifoCtrl, kFifoBypass},
    {kCtrlReg1G, kPowerDown},
    {kCtrlReg6Xl, kAcceleration10Hz4G},
    {kFifoCtrl, kFifoContinuous},
};

// kMotionMilliG in steps of 0.122 mg.
constexpr int32_t kMotionSteps = kMotionMilliG * 1000 / 122;

constexpr uint8_t kResetPolls = 10;
constexpr uint32_t kResetPollMs = 5;

}  // namespace

constexpr uint16_t Lsm9ds1::kFifoSamples;

Lsm9ds1::Lsm9ds1(I2cBus& bus, const AxisMap& axes)
    : registers_(bus, kAddress), decoding_{kAccelerationMultiplier, kRateMultiplier, axes} {}

bool Lsm9ds1::fail(const char* why) {
  fault_ = why;
  return false;
}

bool Lsm9ds1::reset() {
  if (!registers_.set(kCtrlReg8, kSwReset | kAddressIncrement)) return false;
  for (uint8_t poll = 0; poll < kResetPolls; ++poll) {
    registers_.wait_ms(kResetPollMs);
    uint8_t value = kSwReset;
    if (registers_.get(kCtrlReg8, &value) && (value & kSwReset) == 0) return true;  // it may not answer meanwhile
  }
  return false;
}

bool Lsm9ds1::start() {
  mode_ = Mode::kOff;
  if (!registers_.hold(kSampling)) return false;
  mode_ = Mode::kSampling;
  settling_ = kSettlingSamples;
  lost_ = false;
  return true;
}

bool Lsm9ds1::begin() {
  mode_ = Mode::kOff;
  fault_ = "";
  uint8_t id = 0;
  if (!registers_.get(kIdRegister, &id)) return fail("LSM9DS1: no answer");
  if (id != kId) return fail("LSM9DS1: WHO_AM_I is another part's");
  if (!reset()) return fail("LSM9DS1: its reset doesn't end");
  if (!start()) return fail("LSM9DS1: a setting did not hold");
  return true;
}

ImuRead Lsm9ds1::fail_read(const char* why) {
  fault_ = why;
  return {0, false, true};
}

// FIFO_SRC and the unread samples in it; false if the bus fails or the number can't be.
bool Lsm9ds1::unread(uint8_t* source, uint16_t* samples) {
  if (!registers_.get(kFifoSrc, source)) return false;
  *samples = *source & kUnread;
  return *samples <= kFifoSamples;
}

ImuRead Lsm9ds1::read(int16_t (*out)[kChannelCount], uint16_t capacity) {
  if (mode_ != Mode::kSampling) return fail_read("LSM9DS1: read while it doesn't sample");
  uint8_t source = 0;
  uint16_t waiting = 0;
  if (!unread(&source, &waiting)) return fail_read("LSM9DS1: FIFO_SRC can't be read");
  // A full FIFO may lose its oldest sample without a trace before the burst below begins, or while it is read.
  const bool full = waiting == kFifoSamples;
  const bool overrun = lost_ || full || (source & kOverrun) != 0;
  if (full && settling_ == 0) settling_ = 1;
  uint16_t taken = 0;
  while (waiting > 0 && taken < capacity) {
    const uint16_t room = capacity - taken;
    uint16_t burst = waiting < kBurstSamples ? waiting : kBurstSamples;
    if (burst > room + settling_) burst = room + settling_;
    // From OUT_X_G on the address runs over the gyroscope's registers, then the accelerometer's, then again, and each
    // round takes one sample out of the FIFO (section 3.3, figure 7).
    if (!registers_.get(kOutXG, burst_, burst * kSampleBytes)) {
      lost_ = true;
      return fail_read("LSM9DS1: a burst from the FIFO broke off");
    }
    waiting -= burst;
    for (uint16_t i = 0; i < burst; ++i) {
      if (settling_ > 0) {
        --settling_;
        continue;
      }
      const uint8_t* sample = burst_ + i * kSampleBytes;
      decode_sample(decoding_, sample + kSampleBytes / 2, sample, out[taken]);
      ++taken;
    }
  }
  lost_ = false;
  return {taken, overrun, false};
}

// The sensor's own interrupt generator is not used: its threshold has no unit and its high-pass filter no corner in the
// data sheet. The FIFO holds 3.2 s of the accelerometer at 10 Hz instead, which moved() compares.
bool Lsm9ds1::sleep_until_motion() {
  if (mode_ != Mode::kSampling) return fail("LSM9DS1: put to sleep while it doesn't sample");
  mode_ = Mode::kOff;
  if (!registers_.hold(kAsleep)) return fail("LSM9DS1: a setting did not hold");
  mode_ = Mode::kAsleep;
  settling_ = 1;
  at_rest_known_ = false;
  return true;
}

bool Lsm9ds1::moved() {
  if (mode_ != Mode::kAsleep) return true;
  uint8_t source = 0;
  uint16_t waiting = 0;
  if (!unread(&source, &waiting)) return true;
  if (waiting == 0) return false;
  if (!registers_.get(kOutXXl, burst_, waiting * kSampleBytes / 2)) return true;
  bool moved = false;
  for (uint16_t i = 0; i < waiting; ++i) {
    if (settling_ > 0) {
      --settling_;
      continue;
    }
    for (int axis = 0; axis < 3; ++axis) {
      const int16_t step = load_i16(burst_ + (i * 3 + axis) * 2);
      if (!at_rest_known_) at_rest_[axis] = step;
      const int32_t off = step - at_rest_[axis];
      if (off >= kMotionSteps || off <= -kMotionSteps) moved = true;
    }
    at_rest_known_ = true;
  }
  return moved;
}

bool Lsm9ds1::wake() { return start() || fail("LSM9DS1: a setting did not hold"); }

}  // namespace hardwear
