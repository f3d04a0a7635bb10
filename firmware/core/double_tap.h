// Two knocks on the board: the wearer's button, as the Nano 33 BLE has none but reset.
#pragma once

#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

// Finds two short knocks within half a second with stillness before, between and after them, which walking never has.
// A knock is a jump of the acceleration between two samples. Works on samples as the sensor gives them, before any
// filter: at 50 Hz a knock is hardly seen. 24 bytes; never call it from an interrupt.
class DoubleTap {
 public:
  static constexpr int32_t kKnock = 8192;  // 1 g from one sample to the next
  static constexpr int32_t kQuiet = 2048;  // 0.25 g: less is stillness
  static_assert(kCountsPerUnit[0] == 8192, "the jumps are for these counts");
  static constexpr uint32_t kRestMs = 400;      // of stillness before the first knock and after the second
  static constexpr uint32_t kRingingMs = 80;    // what a knock may ring
  static constexpr uint32_t kSecondMs = 500;    // the second comes within this of the first

  // `millihertz`: the sensor's rate.
  void begin(uint32_t millihertz);

  // Takes a sample in contract counts. Returns true once, half a second after the second knock.
  bool push(const int16_t sample[kChannelCount]);

 private:
  enum class State : uint8_t { kMoving, kResting, kFirst, kBetween, kSecond, kAfter };

  uint16_t samples(uint32_t ms) const { return static_cast<uint16_t>(static_cast<uint64_t>(ms) * rate_ / 1000000); }
  void enter(State state) {
    state_ = state;
    in_state_ = 0;
  }

  uint32_t rate_ = 0;  // millihertz
  State state_ = State::kMoving;
  bool first_sample_ = true;
  uint16_t in_state_ = 0;     // samples
  uint16_t since_first_ = 0;  // samples since the first knock
  int16_t last_[3] = {};
};

}  // namespace hardwear
