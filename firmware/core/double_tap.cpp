#include "core/double_tap.h"

namespace hardwear {

void DoubleTap::begin(uint32_t millihertz) {
  rate_ = millihertz;
  first_sample_ = true;
  enter(State::kMoving);
}

bool DoubleTap::push(const int16_t sample[kChannelCount]) {
  int32_t jump = 0;
  for (int axis = 0; axis < 3; ++axis) {
    const int32_t change = static_cast<int32_t>(sample[axis]) - last_[axis];
    const int32_t size = change < 0 ? -change : change;
    if (size > jump) jump = size;
    last_[axis] = sample[axis];
  }
  if (first_sample_) {
    first_sample_ = false;
    return false;
  }
  const bool knock = jump >= kKnock;
  const bool quiet = jump < kQuiet;
  if (in_state_ < UINT16_MAX) ++in_state_;
  if (since_first_ < UINT16_MAX) ++since_first_;
  switch (state_) {
    case State::kMoving:  // counts stillness
      if (!quiet) in_state_ = 0;
      if (in_state_ >= samples(kRestMs)) enter(State::kResting);
      return false;
    case State::kResting:
      if (knock) {
        since_first_ = 0;
        enter(State::kFirst);
      } else if (!quiet) {
        enter(State::kMoving);
      }
      return false;
    case State::kFirst:  // rings
      if (in_state_ >= samples(kRingingMs)) enter(State::kBetween);
      return false;
    case State::kBetween:
      if (since_first_ > samples(kSecondMs)) {
        enter(State::kMoving);
      } else if (knock) {
        enter(State::kSecond);
      } else if (!quiet) {
        enter(State::kMoving);
      }
      return false;
    case State::kSecond:  // rings
      if (in_state_ >= samples(kRingingMs)) enter(State::kAfter);
      return false;
    case State::kAfter:
      if (!quiet) {
        enter(State::kMoving);
        return false;
      }
      if (in_state_ < samples(kRestMs)) return false;
      enter(State::kResting);
      return true;
  }
  return false;
}

}  // namespace hardwear
