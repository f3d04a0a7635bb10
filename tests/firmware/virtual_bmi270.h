// A BMI270, register for register as far as a driver with a FIFO needs it.
//
// Facts are those of its maker's driver, of version 2.113.0, and of the data sheet BST-BMI270-DS000. What they forbid
// or leave open is a misuse here. Also runs on the emulated chip: see virtual_sensor.h.
#pragma once

#include "virtual_sensor.h"

namespace hardwear {

class VirtualBmi270 final : public VirtualSensor {
 public:
  static constexpr uint32_t kFifo = 155;
  static constexpr int16_t kUnsettled = 0x5A5A;  // each number of a sample while the gyroscope comes up

  uint8_t chip_id = 0x24;
  bool length_has_skip_frame = true;  // FIFO_LENGTH counts the skip frame
  bool input_config_frame = false;    // put one before the next frame

  // `configuration`: what the driver has to load before the sensor works.
  VirtualBmi270(const uint8_t* configuration, uint32_t size) : configuration_(configuration), size_(size) {
    power_up();
  }

  uint32_t unread() const { return count_; }

  // Makes the FIFO's next byte what no frame begins with.
  void garble() { garbled_ = true; }

 private:
  enum Register : uint8_t {
    kChipId = 0x00,
    kIntStatus0 = 0x1C,
    kInternalStatus = 0x21,
    kFifoLength0 = 0x24,
    kFifoLength1 = 0x25,
    kFifoData = 0x26,
    kFeatPage = 0x2F,
    kFeatures = 0x30,
    kFeaturesEnd = 0x3F,
    kAccConf = 0x40,
    kAccRange = 0x41,
    kGyrConf = 0x42,
    kGyrRange = 0x43,
    kFifoDowns = 0x45,
    kFifoConfig0 = 0x48,
    kFifoConfig1 = 0x49,
    kIntLatch = 0x55,
    kInt1MapFeat = 0x56,
    kInitCtrl = 0x59,
    kInitAddr0 = 0x5B,
    kInitAddr1 = 0x5C,
    kInitData = 0x5E,
    kPwrConf = 0x7C,
    kPwrCtrl = 0x7D,
    kCmd = 0x7E,
  };

  struct Slot {
    int16_t rate[3];
    int16_t acceleration[3];
  };

  // What a burst from the FIFO goes through, in this order.
  enum class Frame : uint8_t { kSkip, kInputConfig, kSample, kNone };

  uint8_t own_address() const override { return 0x68; }

  void power_up() {
    for (uint8_t& value : registers_) value = 0;
    registers_[kAccConf] = 0xA8;
    registers_[kAccRange] = 0x02;
    registers_[kGyrConf] = 0xA9;
    registers_[kFifoDowns] = 0x88;
    registers_[kFifoConfig0] = 0x02;
    registers_[kFifoConfig1] = 0x10;
    registers_[kPwrConf] = 0x03;
    for (auto& page : pages_) {
      for (uint8_t& value : page) value = 0;
    }
    // Any-motion as the maker's program has it: bytes 05 E0 AA 38.
    pages_[1][12] = 0x05, pages_[1][13] = 0xE0, pages_[1][14] = 0xAA, pages_[1][15] = 0x38;
    flush();
    loaded_ = 0;
    starts_ns_ = 0;
    loading_ = correct_ = running_ = moved_ = reference_known_ = false;
    unsettled_ = 0;
  }

  void flush() { head_ = count_ = dropped_ = 0; }

  bool saves_power() const { return (registers_[kPwrConf] & 0x01) != 0; }
  bool gyro_on() const { return (registers_[kPwrCtrl] & 0x02) != 0; }
  bool fifo_on() const { return (registers_[kFifoConfig1] & 0xC0) != 0; }
  bool initialised() const { return running_ && now_ns() >= starts_ns_; }

  uint32_t nominal_millihertz() const override {
    if (!initialised() || (registers_[kPwrCtrl] & 0x04) == 0) return 0;
    const uint8_t rate = registers_[kAccConf] & 0x0F;
    return rate >= 8 ? 100000u << (rate - 8) : 100000u >> (8 - rate);
  }

  void start_write(uint8_t reg) override {
    reg_ = reg;
    offset_ = 0;
    if (now_ns() < ready_ns_) misuse("written to within 2 ms of a reset");
    if (saves_power() && now_ns() < free_ns_) misuse("written to twice in 450 us while it saves power");
    free_ns_ = now_ns() + 450000;
  }

  void take_byte(uint8_t value) override {
    const uint8_t reg = reg_;
    if (reg != kInitData) ++reg_;
    if (reg == kInitData) return take_configuration(value);
    if (reg >= kFeatures && reg <= kFeaturesEnd) return take_feature(static_cast<uint8_t>(reg - kFeatures), value);
    switch (reg) {
      case kCmd:
        if (value == 0xB6) {
          power_up();
          ready_ns_ = now_ns() + 2000000;
        } else if (value == 0xB0) {
          flush();
        } else {
          misuse("an unknown command");
        }
        return;
      case kInitCtrl:
        if (saves_power()) misuse("its program was loaded while it saves power");
        if (value == 0) {
          loaded_ = 0;
          loading_ = correct_ = true;
          running_ = false;
        } else {
          running_ = correct_ = loading_ && correct_ && loaded_ == size_;
          loading_ = false;
          starts_ns_ = now_ns() + 20000000;
        }
        return;
      case kInitAddr0:
      case kInitAddr1:
      case kPwrConf:
        registers_[reg] = value;
        return;
      case kAccConf:
      case kAccRange:
      case kGyrConf:
      case kGyrRange:
      case kFifoDowns:
      case kFifoConfig0:
      case kFifoConfig1:
      case kFeatPage:
      case kIntLatch:
      case kInt1MapFeat:
      case kPwrCtrl:
        return take_setting(reg, value);
      default:
        return misuse("a register was written that is read-only, reserved or not modelled");
    }
  }

  void take_setting(uint8_t reg, uint8_t value) {
    if (!initialised()) return misuse("a setting was written before its program ran");
    const bool had_gyro = gyro_on();
    const uint32_t rate = nominal_millihertz();
    registers_[reg] = value;
    if (gyro_on() && !had_gyro) unsettled_ = 5;
    if (!fifo_on()) flush();
    if (gyro_on() && (registers_[kAccConf] & 0x0F) != (registers_[kGyrConf] & 0x0F)) misuse("two rates in one FIFO");
    if (nominal_millihertz() != rate) restart_sampling();
  }

  void take_configuration(uint8_t value) {
    if (!loading_) return misuse("its program was written without INIT_CTRL = 0");
    const uint32_t at = 2u * (registers_[kInitAddr0] & 0x0Fu) + 32u * registers_[kInitAddr1] + offset_;
    ++offset_;
    if (at != loaded_ || at >= size_ || configuration_[at] != value) correct_ = false;
    ++loaded_;
  }

  void take_feature(uint8_t at, uint8_t value) {
    if (!initialised() || saves_power()) return misuse("a feature was written while it can't be");
    if (registers_[kFeatPage] > 7) return misuse("a feature was written on no page");
    pages_[registers_[kFeatPage]][at] = value;
    reference_known_ = moved_ = false;
  }

  void start_read(uint8_t reg) override {
    reg_ = reg;
    if (now_ns() < ready_ns_) misuse("read from within 2 ms of a reset");
    length_ = kFrameBytes * count_ + (dropped_ > 0 && length_has_skip_frame ? 2 : 0);
    if (reg != kFifoData) return;
    if (!initialised() || !fifo_on()) misuse("the FIFO was read while it is off");
    if (saves_power()) misuse("the FIFO was read while it saves power");
    in_burst_ = true;
    begin_frame();
  }

  uint8_t give_byte() override {
    const uint8_t reg = reg_;
    if (reg == kFifoData) return fifo_byte();
    ++reg_;
    if (reg >= kFeatures && reg <= kFeaturesEnd) {
      if (saves_power()) misuse("a feature was read while it saves power");
      return pages_[registers_[kFeatPage] & 7][reg - kFeatures];
    }
    switch (reg) {
      case kChipId:
        return chip_id;
      case kIntStatus0: {
        const bool moved = moved_;
        moved_ = false;
        return moved ? 0x40 : 0x00;
      }
      case kInternalStatus:
        return initialised() ? 0x01 : running_ || loading_ ? 0x00 : 0x02;
      case kFifoLength0:
        return static_cast<uint8_t>(length_);
      case kFifoLength1:
        return static_cast<uint8_t>(length_ >> 8);
      default:
        if (reg >= sizeof registers_) misuse("a register was read that is not there");
        return registers_[reg % sizeof registers_];
    }
  }

  void end_read(bool) override { in_burst_ = false; }

  void begin_frame() {
    byte_ = 0;
    frame_ = count_ > 0 ? Frame::kSample : Frame::kNone;
    if (input_config_frame) frame_ = Frame::kInputConfig;
    if (dropped_ > 0) frame_ = Frame::kSkip;
  }

  // A frame leaves the FIFO with its last byte: one that was read in part comes again.
  uint8_t fifo_byte() {
    if (garbled_) {
      garbled_ = false;
      return 0xEE;
    }
    const uint32_t at = byte_++;
    switch (frame_) {
      case Frame::kSkip: {
        if (at == 0) return 0x40;
        const uint8_t told = static_cast<uint8_t>(dropped_ < 255 ? dropped_ : 255);
        dropped_ = 0;
        begin_frame();
        return told;
      }
      case Frame::kInputConfig:
        if (at == 4) {
          input_config_frame = false;
          begin_frame();
        }
        return at == 0 ? 0x48 : 0x01;
      case Frame::kSample: {
        if (at == 0) return 0x8C;
        const Slot& slot = fifo_[head_];
        const uint32_t number = (at - 1) / 2;
        const uint16_t value = static_cast<uint16_t>(number < 3 ? slot.rate[number] : slot.acceleration[number - 3]);
        if (at == kFrameBytes - 1) {
          head_ = (head_ + 1) % kSlots;
          --count_;
          begin_frame();
        }
        return static_cast<uint8_t>(at % 2 == 1 ? value : value >> 8);
      }
      case Frame::kNone:
        break;
    }
    return 0x80;
  }

  void store(const int16_t acceleration[3], const int16_t rate[3]) override {
    feel(acceleration);
    Slot slot;
    const bool unsettled = unsettled_ > 0;
    if (unsettled) --unsettled_;
    for (int axis = 0; axis < 3; ++axis) {
      slot.rate[axis] = unsettled ? kUnsettled : rate[axis];
      slot.acceleration[axis] = unsettled ? kUnsettled : acceleration[axis];
    }
    if (!fifo_on()) return;
    if (registers_[kFifoConfig0] != 0x00 || registers_[kFifoConfig1] != 0xD0 || !gyro_on()) {
      return misuse("only a FIFO of both sensors with headers, that drops the oldest, is modelled");
    }
    // A frame that is being read has left room already, if it is read to its end.
    const bool leaving = in_burst_ && frame_ == Frame::kSample && byte_ > 0;
    if (count_ == kFifo + (leaving ? 1 : 0)) {
      count_lost();
      ++dropped_;
      head_ = (head_ + 1) % kSlots;
      --count_;
    }
    fifo_[(head_ + count_) % kSlots] = slot;
    ++count_;
  }

  // Any-motion against the first sample since it was set: simpler than the maker's, and enough for a driver.
  void feel(const int16_t acceleration[3]) {
    const uint8_t* page = pages_[1];
    if ((page[15] & 0x80) == 0) return;
    if ((registers_[kAccConf] & 0x0F) < 7) return misuse("any-motion needs 50 Hz");
    const int32_t threshold = (page[14] | (page[15] & 0x07) << 8) * 8 >> registers_[kAccRange];
    for (int axis = 0; axis < 3; ++axis) {
      const int32_t off = reference_known_ ? acceleration[axis] - reference_[axis] : 0;
      const bool chosen = (page[13] & (0x20 << axis)) != 0;
      if (chosen && (off > threshold || off < -threshold)) moved_ = true;
      if (!reference_known_) reference_[axis] = acceleration[axis];
    }
    reference_known_ = true;
  }

  static constexpr uint32_t kFrameBytes = 13;
  static constexpr uint32_t kSlots = kFifo + 1;

  const uint8_t* configuration_;
  uint32_t size_;
  uint8_t registers_[0x7F];
  uint8_t pages_[8][16];
  Slot fifo_[kSlots];
  uint32_t head_ = 0;
  uint32_t count_ = 0;
  uint32_t dropped_ = 0;
  uint32_t length_ = 0;
  uint32_t loaded_ = 0;  // bytes of the program since INIT_CTRL = 0
  uint32_t offset_ = 0;  // within this burst
  uint64_t ready_ns_ = 0;
  uint64_t starts_ns_ = 0;
  uint64_t free_ns_ = 0;
  bool loading_ = false;
  bool correct_ = false;
  bool running_ = false;
  bool in_burst_ = false;
  bool garbled_ = false;
  bool moved_ = false;
  bool reference_known_ = false;
  uint8_t unsettled_ = 0;
  int16_t reference_[3];
  uint8_t reg_ = 0;
  Frame frame_ = Frame::kNone;
  uint32_t byte_ = 0;
};

}  // namespace hardwear
