// Driver of the BMI270 (Arduino Nano 33 BLE Sense, Rev2).
#pragma once

#include "core/imu.h"
#include "sensors/axes.h"
#include "sensors/decode.h"
#include "sensors/registers.h"

namespace hardwear {

// 100 samples a second, +-4 g, +-1000 degrees per second, through the sensor's FIFO of 2 KB: 1.5 s. Registers are those
// of BST-BMI270-DS000; docs/boards.md has what was never seen on hardware.
//
// The sensor runs a program of its maker's that has to be loaded at each start, and that is not ours to ship: the board
// gives it, on the Nano as `bmi270_config_file` of the library Arduino_BMI270_BMM150. Borrows it and the bus. 300
// bytes, no heap.
class Bmi270 final : public Imu {
 public:
  static constexpr uint8_t kAddress = 0x68;  // SDO low, as on the Nano
  static constexpr uint8_t kIdRegister = 0x00;
  static constexpr uint8_t kId = 0x24;
  static constexpr uint16_t kConfigurationBytes = 8192;  // of the maker's file in its usual variant
  // A frame is 13 bytes. The FIFO counts as full while a frame of its largest kind would not fit any more.
  static constexpr uint16_t kFifoSamples = 155;
  // Samples that are thrown away after begin() and wake(), while the gyroscope comes up (45 ms) and its filter settles.
  static constexpr uint8_t kSettlingSamples = 8;

  // `configuration`: the maker's file, `size` bytes, an even number; null or 0 if the board has none, and begin()
  // fails.
  Bmi270(I2cBus& bus, const AxisMap& axes, const uint8_t* configuration, uint16_t size);

  const char* name() const override { return "BMI270"; }
  uint32_t nominal_rate_millihertz() const override { return 100000; }
  uint16_t fifo_capacity() const override { return kFifoSamples; }
  bool begin() override;
  ImuRead read(int16_t (*out)[kChannelCount], uint16_t capacity) override;
  bool sleep_until_motion() override;
  bool moved() override;
  bool wake() override;
  const char* fault() const override { return fault_; }

 private:
  enum class Mode : uint8_t { kOff, kSampling, kAsleep };

  static constexpr uint16_t kFrameBytes = 13;  // header, angular rate, acceleration
  static constexpr uint16_t kBurstBytes = 19 * kFrameBytes;
  static constexpr uint16_t kPageBytes = 16;
  static_assert(kBurstBytes <= I2cBus::kMaxBytes, "a burst is one transaction");

  // What a burst from the FIFO held.
  struct Parsed {
    uint16_t bytes;    // of whole frames
    uint16_t samples;  // written
    bool skipped;      // the sensor says that it had to drop frames
    bool intelligible;
  };

  bool load();
  bool start();
  bool set_any_motion(bool on);
  Parsed parse(uint16_t n, int16_t (*out)[kChannelCount], uint16_t room);
  bool fail(const char* why);
  ImuRead fail_read(const char* why);

  Registers registers_;
  Decoding decoding_;
  const uint8_t* configuration_;
  uint16_t configuration_bytes_;
  const char* fault_ = "";
  Mode mode_ = Mode::kOff;
  bool lost_ = false;     // a burst broke off: what it had taken out of the FIFO is gone
  uint8_t settling_ = 0;  // samples to throw away yet
  uint8_t burst_[kBurstBytes];
};

}  // namespace hardwear
