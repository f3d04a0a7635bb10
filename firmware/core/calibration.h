// The guided calibration: how is the board worn?
#pragma once

#include <cstdint>

#include "core/orientation.h"
#include "generated/contract.h"

namespace hardwear {

// As the calibration packet carries it.
enum class CalibrationState : uint8_t {
  kIdle = 0,
  kStandStill = 1,     // the wearer should stand still, upright, for 3 s
  kWalk = 2,           // the wearer should walk straight ahead for 10 s
  kDone = 3,           // result() is the mounting
  kFailedMoved = 4,    // not still for 3 s within 30 s
  kFailedGravity = 5,  // at rest the accelerometer reads more than 15 % off 1 g
  kFailedNoWalk = 6,   // no steady walk that tells a heading within 45 s
  kCancelled = 7,
};

// Finds out how the board is worn from what its wearer does: three seconds of standing still tell up, and what the
// accelerometer makes of 1 g; ten of walking tell the heading about it. Moving while standing, or standing while
// walking, begins the step anew. Call start(), then push() for every sample, as the sensor gives it (unrotated):
//
//   if (calibration.push(sample) == CalibrationState::kDone) use(calibration.result());
//
// The heading is the one angle at which the horizontal signals follow the vertical ones as they do in other people:
// sums of products over 9 lags, times weights learnt from UCI-HAR's training subjects. docs/mounting.md says how, how
// well, and that the board belongs where theirs was: on the belt, in front to the left.
//
// The result maps to UCI-HAR's axes as they lie on people: gravity not quite on x, but tilted as their mean.
//
// Any int16 input is allowed. Equal bit for bit to Calibration in Python. About 1.7 KB, no heap. push() takes some
// microseconds, and at the end of a walk a few milliseconds. Not re-entrant; never call it from an interrupt.
class Calibration {
 public:
  static constexpr uint16_t kStillSamples = 3 * kSampleRateHz;
  static constexpr uint16_t kStandLimitSamples = 30 * kSampleRateHz;
  static constexpr uint16_t kBlockSamples = 4;
  static constexpr uint16_t kWalkBlocks = 120;
  static constexpr uint16_t kWalkSamples = kBlockSamples * kWalkBlocks;  // 9.6 s
  static constexpr uint16_t kWalkLimitSamples = 45 * kSampleRateHz;

  // Begins, or begins again, with standing still.
  void start();

  // Stops a calibration that is under way; no effect else.
  void cancel();

  // Takes one sample in counts, in the board's own axes, and returns the state after it. No effect unless a calibration
  // is under way.
  CalibrationState push(const int16_t sample[kChannelCount]);

  CalibrationState state() const { return state_; }

  // True from start() until the calibration is done, failed or cancelled.
  bool under_way() const { return state_ == CalibrationState::kStandStill || state_ == CalibrationState::kWalk; }

  // 255ths of the current step, which goes back when the step begins anew. 255 when done, 0 when not under way.
  uint8_t progress() const;

  // What was found out; kPlainMounting until the state is kDone.
  const Mounting& result() const { return result_; }

 private:
  static constexpr uint16_t kStillChunkSamples = 25;
  static constexpr uint16_t kChunkBlocks = 12;
  static_assert(kStillSamples % kStillChunkSamples == 0 && kWalkBlocks % kChunkBlocks == 0, "whole chunks");

  // Sums over samples, from which a variance follows.
  struct Sums {
    int32_t linear[kChannelCount];
    int64_t square[kChannelCount];

    void clear();
    void add(const int16_t sample[kChannelCount]);
    void add(const Sums& other);
    // The squared number of samples times the variance of three channels from `first` on together.
    int64_t spread(int first, int32_t count) const;
    bool still(int32_t count) const;
  };

  void stand(const int16_t sample[kChannelCount]);
  void end_standing();
  void walk(const int16_t sample[kChannelCount]);
  bool last_chunk_moves() const;
  bool find_mounting();

  CalibrationState state_ = CalibrationState::kIdle;
  Mounting result_ = kPlainMounting;
  uint16_t elapsed_ = 0;  // samples since the step began for the first time
  uint16_t still_ = 0;    // samples in rest_
  uint16_t pending_ = 0;  // samples in chunk_, or in block_
  uint16_t blocks_ = 0;
  Sums chunk_ = {};
  Sums rest_ = {};
  int32_t block_[kChannelCount] = {};
  int16_t walk_[kWalkBlocks][kChannelCount] = {};
};
static_assert(sizeof(Calibration) <= 1760, "the budget of the calibration's RAM");

}  // namespace hardwear
