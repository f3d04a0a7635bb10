// An LSM9DS1's accelerometer and gyroscope, register for register as far as a driver with a FIFO needs it.
//
// Facts are from the data sheet, DocID025715 Rev 2. What that forbids or leaves open is a misuse here. Also runs on the
// emulated chip: see virtual_sensor.h.
#pragma once

#include "virtual_sensor.h"

namespace hardwear {

class VirtualLsm9ds1 final : public VirtualSensor {
 public:
  static constexpr uint32_t kFifo = 32;
  // Samples of a gyroscope that comes up (table 12), and the first one in a FIFO that was switched on (section 3.5),
  // are not to be used; the virtual sensor gives this as each of their numbers.
  static constexpr int16_t kUnsettled = 0x5A5A;

  uint8_t who_am_i = 0x68;
  uint32_t reset_us = 4000;

  VirtualLsm9ds1() { load_defaults(); }

  uint32_t unread() const { return count_; }

 private:
  enum Register : uint8_t {
    kActThs = 0x04,
    kWhoAmI = 0x0F,
    kCtrlReg1G = 0x10,
    kCtrlReg2G = 0x11,
    kCtrlReg3G = 0x12,
    kOrientCfgG = 0x13,
    kOutXG = 0x18,
    kOutLastG = 0x1D,
    kCtrlReg4 = 0x1E,
    kCtrlReg5Xl = 0x1F,
    kCtrlReg6Xl = 0x20,
    kCtrlReg7Xl = 0x21,
    kCtrlReg8 = 0x22,
    kCtrlReg9 = 0x23,
    kCtrlReg10 = 0x24,
    kOutXXl = 0x28,
    kOutLastXl = 0x2D,
    kFifoCtrl = 0x2E,
    kFifoSrc = 0x2F,
    kIntGenCfgG = 0x30,
    kLast = 0x37,
  };

  struct Slot {
    int16_t rate[3];
    int16_t acceleration[3];
  };

  uint8_t own_address() const override { return 0x6B; }

  void load_defaults() {
    for (uint8_t& value : registers_) value = 0;
    registers_[kCtrlReg4] = 0x38;
    registers_[kCtrlReg5Xl] = 0x38;
    registers_[kCtrlReg8] = 0x04;
    empty();
    gyro_unsettled_ = fifo_unsettled_ = 0;
  }

  void empty() { head_ = count_ = 0, overran_ = false; }

  bool resetting() const { return now_ns() < ready_ns_; }
  bool increments() const { return (registers_[kCtrlReg8] & 0x04) != 0; }
  bool gyro_on() const { return registers_[kCtrlReg1G] >> 5 != 0; }
  bool fifo_on() const { return (registers_[kCtrlReg9] & 0x02) != 0 && registers_[kFifoCtrl] >> 5 != 0; }

  uint32_t nominal_millihertz() const override {
    static const uint32_t kBoth[8] = {0, 14900, 59500, 119000, 238000, 476000, 952000, 0};
    static const uint32_t kAlone[8] = {0, 10000, 50000, 119000, 238000, 476000, 952000, 0};
    if (resetting()) return 0;
    return gyro_on() ? kBoth[registers_[kCtrlReg1G] >> 5] : kAlone[registers_[kCtrlReg6Xl] >> 5];
  }

  // Bits that must stay 0 (tables 44 to 76); 0xFF: the register can't be written.
  static uint8_t forbidden_bits(uint8_t reg) {
    if (reg >= kActThs && reg <= 0x0D) return 0;
    if (reg >= kIntGenCfgG && reg <= kLast) return 0;
    switch (reg) {
      case kCtrlReg1G: return 0x04;
      case kCtrlReg2G: return 0xF0;
      case kCtrlReg3G: return 0x30;
      case kOrientCfgG: return 0xC0;
      case kCtrlReg4: return 0xC4;
      case kCtrlReg5Xl: return 0x07;
      case kCtrlReg6Xl: return 0;
      case kCtrlReg7Xl: return 0x1A;
      case kCtrlReg8: return 0;
      case kCtrlReg9: return 0xA0;
      case kCtrlReg10: return 0xFA;
      case kFifoCtrl: return 0;
      default: return 0xFF;
    }
  }

  void start_write(uint8_t reg) override {
    reg_ = reg;
    if (resetting()) misuse("written to while it resets");
  }

  void take_byte(uint8_t value) override {
    const uint8_t reg = reg_;
    if (increments()) ++reg_;
    const uint8_t forbidden = forbidden_bits(reg);
    if (forbidden == 0xFF) return misuse("a register was written that is read-only or reserved");
    if ((value & forbidden) != 0) return misuse("bits were set that must be 0");
    if (reg == kCtrlReg8 && (value & 0x01) != 0) {
      load_defaults();
      registers_[kCtrlReg8] |= 0x01;
      ready_ns_ = now_ns() + reset_us * 1000u;
      return;
    }
    if (reg == kCtrlReg8 && (value & 0x04) == 0) misuse("address increment was switched off");
    if (reg == kCtrlReg9 && (value & 0x04) != 0) misuse("I2C was switched off");
    const bool had_gyro = gyro_on(), had_fifo = fifo_on();
    const uint32_t rate = nominal_millihertz();
    registers_[reg] = value;
    if (reg == kCtrlReg6Xl && had_gyro && value >> 5 != 0) {
      // Section 3.1 lets this write power the gyroscope down; a driver must not depend on whether it does.
      registers_[kCtrlReg1G] &= 0x1F;
    }
    if (gyro_on() && !had_gyro) gyro_unsettled_ = 3;
    if (fifo_on() && !had_fifo) fifo_unsettled_ = 1;
    if (!fifo_on()) empty();
    if (nominal_millihertz() != rate) restart_sampling();
  }

  void start_read(uint8_t reg) override {
    reg_ = reg;
    fifo_bytes_ = 0;
    if (resetting() && reg != kCtrlReg8) misuse("read from while it resets");
    if (!is_output(reg)) return;
    if (nominal_millihertz() == 0) misuse("its output was read while it doesn't sample");
    if (!fifo_on()) misuse("its output was read past the FIFO, sample by sample");
    if (reg != (gyro_on() ? kOutXG : kOutXXl)) misuse("a burst from the FIFO began in the middle of a sample");
  }

  static bool is_output(uint8_t reg) {
    return (reg >= kOutXG && reg <= kOutLastG) || (reg >= kOutXXl && reg <= kOutLastXl);
  }

  uint8_t give_byte() override {
    const uint8_t reg = reg_;
    if (increments()) reg_ = next_register(reg);
    if (is_output(reg)) {
      ++fifo_bytes_;
      if (count_ == 0) {
        misuse("more samples were read than the FIFO holds");
        return 0;
      }
      const Slot& slot = fifo_[head_];
      const bool rate = reg <= kOutLastG;
      const int at = reg - (rate ? kOutXG : kOutXXl);
      const uint16_t value = static_cast<uint16_t>((rate ? slot.rate : slot.acceleration)[at / 2]);
      if (reg == kOutLastXl) {
        head_ = (head_ + 1) % kFifo;
        --count_;
        overran_ = false;
      }
      return static_cast<uint8_t>(at % 2 == 0 ? value : value >> 8);
    }
    if (reg == kWhoAmI) return who_am_i;
    if (reg == kFifoSrc) return fifo_source();
    if (reg == kCtrlReg8) return static_cast<uint8_t>(resetting() ? registers_[reg] : registers_[reg] & ~0x01);
    if (reg < kActThs || reg > kLast || reg == 0x0E || reg == 0x25) misuse("a reserved register was read");
    return registers_[reg % sizeof registers_];
  }

  // Section 3.3, figures 6 and 7.
  uint8_t next_register(uint8_t reg) const {
    if (reg == kOutLastG && gyro_on()) return kOutXXl;
    if (reg == kOutLastXl) return gyro_on() ? kOutXG : kOutXXl;
    return static_cast<uint8_t>(reg + 1);
  }

  void end_read(bool whole) override {
    if (whole && fifo_bytes_ > 0 && fifo_bytes_ % (gyro_on() ? 12 : 6) != 0) {
      misuse("a burst from the FIFO was not of whole samples");
    }
  }

  uint8_t fifo_source() const {
    const uint8_t threshold = registers_[kFifoCtrl] & 0x1F;
    const bool reached = threshold > 0 && count_ >= threshold;
    return static_cast<uint8_t>((reached ? 0x80 : 0) | (overran_ ? 0x40 : 0) | count_);
  }

  void store(const int16_t acceleration[3], const int16_t rate[3]) override {
    Slot slot;
    const bool unsettled = (gyro_on() && gyro_unsettled_ > 0) || fifo_unsettled_ > 0;
    for (int axis = 0; axis < 3; ++axis) {
      slot.rate[axis] = unsettled ? kUnsettled : gyro_on() ? rate[axis] : int16_t{0};
      slot.acceleration[axis] = unsettled ? kUnsettled : acceleration[axis];
    }
    if (gyro_unsettled_ > 0) --gyro_unsettled_;
    if (!fifo_on()) return;
    if (fifo_unsettled_ > 0) --fifo_unsettled_;
    if (count_ == kFifo) {
      head_ = (head_ + 1) % kFifo;
      --count_;
      overran_ = true;
      count_lost();
    }
    fifo_[(head_ + count_) % kFifo] = slot;
    ++count_;
  }

  uint8_t registers_[kLast + 1];
  Slot fifo_[kFifo];
  uint32_t head_ = 0;
  uint32_t count_ = 0;
  bool overran_ = false;
  uint8_t gyro_unsettled_ = 0;
  uint8_t fifo_unsettled_ = 0;
  uint64_t ready_ns_ = 0;
  uint8_t reg_ = 0;
  size_t fifo_bytes_ = 0;
};

}  // namespace hardwear
