// From one probability vector a window to a label that doesn't flicker.
#pragma once

#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

// The label of a wearer of whom nothing certain can be said.
constexpr uint8_t kUnknownActivity = 15;
static_assert(kClassCount < kUnknownActivity, "a class and UNKNOWN share four bits of the prediction packet");

// Averages the calibrated probabilities over windows and keeps a label until another one is clearly more likely:
//
//   level[i] += (256 p[i] - level[i]) >> smoothing     (the first window after reset(): level[i] = 256 p[i])
//   another class is taken once its level is kMargin above the label's; UNKNOWN becomes a class at `threshold`, and a
//   class becomes UNKNOWN kMargin below it.
//
// Levels are in 256ths of a 255th, the shift is arithmetic. Equal bit for bit to LabelSmoother in Python. 14 bytes of
// state. Not re-entrant; never call it from an interrupt.
class Smoother {
 public:
  // What another label has to be ahead by, in 255ths: a tenth.
  static constexpr uint8_t kMargin = 26;
  static constexpr uint8_t kMaxSmoothing = 6;

  // `smoothing`: a window counts 1 / 2^smoothing, 0 to kMaxSmoothing. `threshold`: the probability in 255ths below
  // which nothing is named. Both take effect with the next window.
  void configure(uint8_t smoothing, uint8_t threshold);

  // Forgets all windows: the label is UNKNOWN.
  void reset();

  // Takes one window's probabilities in 255ths. Returns the label: a class, or kUnknownActivity.
  uint8_t push(const uint8_t probabilities[kClassCount]);

  uint8_t label() const { return label_; }

 private:
  uint16_t level_[kClassCount] = {};
  uint8_t smoothing_ = 0;
  uint8_t threshold_ = 0;
  uint8_t label_ = kUnknownActivity;
  bool empty_ = true;
};

}  // namespace hardwear
