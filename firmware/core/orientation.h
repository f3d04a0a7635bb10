// How the board sits on its wearer: from its own axes to those that the model was trained on.
#pragma once

#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

// A matrix in Q14, 16384 for 1.0, row-major: row i is UCI-HAR's axis i in the board's axes. Upright, gravity reads about
// +1 g on x.
struct Rotation {
  int16_t q14[3][3];
};

constexpr int16_t kQ14One = 1 << 14;
constexpr Rotation kIdentityRotation = {{{kQ14One, 0, 0}, {0, kQ14One, 0}, {0, 0, kQ14One}}};

// All that calibration finds out: the rotation, which is of both sensors, and what acceleration is multiplied by, Q14.
struct Mounting {
  Rotation rotation;
  uint16_t acc_gain_q14;
};

constexpr Mounting kPlainMounting = {kIdentityRotation, kQ14One};

// How far a row's squared length may lie from 1, and the product of two rows from 0, in Q28. 0.0039 admits a matrix that
// was typed in with three decimals; rounding to Q14 alone takes 0.0001.
constexpr int32_t kRotationTolerance = 1 << 20;

// Rows of length one, at right angles, right-handed. No state: may be called from anywhere.
bool is_rotation(const Rotation& rotation);

// Turns one sample, both sensors alike:
//   out[i] = clamp(-32768, 32767, (sum of q14[i][j] in[j] + 2^13) >> 14)
// with an arithmetic shift: rounded half up. `in` and `out` may be the same array. Any nine values are allowed. Equal bit
// for bit to rotate() in Python. No state: may be called from anywhere.
void rotate(const Rotation& rotation, const int16_t in[kChannelCount], int16_t out[kChannelCount]);

// rotate(), and acceleration times the gain with one rounding of the whole:
//   out[i] = clamp(-32768, 32767, (gain * (sum of q14[i][j] in[j]) + 2^27) >> 28)
// With a gain of 1.0 it is rotate(). Equal bit for bit to straighten() in Python. No state: may be called from anywhere.
void straighten(const Mounting& mounting, const int16_t in[kChannelCount], int16_t out[kChannelCount]);

}  // namespace hardwear
