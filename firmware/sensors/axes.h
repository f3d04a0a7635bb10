// How a motion sensor lies on its board.
#pragma once

#include <cstdint>

namespace hardwear {

// Board axis i is `sign[i]` times the sensor's axis `source[i]`, of the accelerometer and of the gyroscope alike.
struct AxisMap {
  uint8_t source[3];
  int8_t sign[3];
};

// The one table. Board axes are those printed beside the sensor of the Nano 33 BLE Sense Rev2, right-handed like
// UCI-HAR's: only then does a rotation bring a board into the orientation of the training data, whichever way it is
// worn.
//
// The LSM9DS1's own axes are left-handed (DocID025715 Rev 2, figure 1), so its map mirrors: swapped and negated, which
// makes both revisions read alike. Arduino's libraries leave the Rev1's as they are, and mirror the Rev2's to match
// them.
constexpr AxisMap kNano33BleSenseRev1 = {{1, 0, 2}, {-1, -1, 1}};  // LSM9DS1
constexpr AxisMap kNano33BleSenseRev2 = {{0, 1, 2}, {1, 1, 1}};    // BMI270

}  // namespace hardwear
