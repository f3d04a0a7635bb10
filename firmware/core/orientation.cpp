#include "core/orientation.h"

namespace hardwear {
namespace {

constexpr int kAxes = 3;
static_assert(kChannelCount == 2 * kAxes, "an accelerometer and a gyroscope");
static_assert((int64_t{-1} >> 1) == -1, "the shift of negative numbers must be arithmetic");

// Three products below 2^30.1 in magnitude.
int64_t product(const int16_t a[kAxes], const int16_t b[kAxes]) {
  return int64_t{a[0]} * b[0] + int64_t{a[1]} * b[1] + int64_t{a[2]} * b[2];
}

int16_t saturate(int64_t value) {
  if (value > INT16_MAX) return INT16_MAX;
  if (value < INT16_MIN) return INT16_MIN;
  return static_cast<int16_t>(value);
}

void turn(const Rotation& rotation, uint16_t gain, const int16_t in[kAxes], int16_t out[kAxes]) {
  const int16_t from[kAxes] = {in[0], in[1], in[2]};  // `out` may be `in`
  for (int i = 0; i < kAxes; ++i) {
    out[i] = saturate((gain * product(rotation.q14[i], from) + (int64_t{1} << 27)) >> 28);
  }
}

}  // namespace

bool is_rotation(const Rotation& rotation) {
  const auto& q14 = rotation.q14;
  for (int i = 0; i < kAxes; ++i) {
    for (int j = i; j < kAxes; ++j) {
      const int64_t off = product(q14[i], q14[j]) - (i == j ? int64_t{kQ14One} * kQ14One : 0);
      if (off > kRotationTolerance || off < -kRotationTolerance) return false;
    }
  }
  int64_t determinant = 0;
  for (int j = 0; j < kAxes; ++j) {
    const int k = (j + 1) % kAxes;
    const int l = (j + 2) % kAxes;
    determinant += q14[0][j] * (int64_t{q14[1][k]} * q14[2][l] - int64_t{q14[1][l]} * q14[2][k]);
  }
  return determinant > 0;
}

void rotate(const Rotation& rotation, const int16_t in[kChannelCount], int16_t out[kChannelCount]) {
  turn(rotation, kQ14One, in, out);
  turn(rotation, kQ14One, in + kAxes, out + kAxes);
}

void straighten(const Mounting& mounting, const int16_t in[kChannelCount], int16_t out[kChannelCount]) {
  turn(mounting.rotation, mounting.acc_gain_q14, in, out);
  turn(mounting.rotation, kQ14One, in + kAxes, out + kAxes);
}

}  // namespace hardwear
