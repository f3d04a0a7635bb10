#include "core/calibration.h"

#include "core/direction_weights.h"

namespace hardwear {
namespace {

constexpr int kAxes = 3;
constexpr int32_t kStillAcceleration = 410;  // 0.05 g, of three axes together: 19 of 20 standing people stay below
constexpr int32_t kStillRate = 410;          // 0.2 rad/s, likewise
constexpr int32_t kWalkAcceleration = 819;   // 0.1 g: no second of anybody's walk stays below
constexpr int32_t kWalkRate = 410;           // 0.2 rad/s: who bobs on the spot turns less
constexpr int32_t kOneG = 8192;
constexpr int32_t kLowestG = kOneG * 85 / 100;  // the LSM9DS1's offset alone is typically within 0.09 g
constexpr int32_t kHighestG = kOneG * 115 / 100;
static_assert(kCountsPerUnit[0] == 8192 && kCountsPerUnit[3] == 2048, "the limits are for these counts");

constexpr int kShortestStep = 4;  // blocks: 0.32 s
constexpr int kLongestStep = 10;  // 0.8 s
constexpr int kRhythmDivisor = 5;
constexpr int kMaxLag = 4;
constexpr int kLags = 2 * kMaxLag + 1;
constexpr int64_t kMinCertainty = kQ14One / 4;
constexpr int kUnitBits = 20;
static_assert(sizeof kDirectionWeights == 4 * kLags * 2 * sizeof(int16_t), "a weight for every lag");

// Numerators stay below 2^62 wherever this is called.
int64_t rounded_quotient(int64_t numerator, int64_t denominator) {
  const int64_t doubled = 2 * numerator + denominator;
  const int64_t divisor = 2 * denominator;
  const int64_t quotient = doubled / divisor;
  return quotient - (doubled % divisor < 0 ? 1 : 0);  // division truncates, the specification floors
}

int64_t square_root(int64_t value) {
  int64_t root = 0;
  for (int64_t bit = int64_t{1} << 31; bit > 0; bit >>= 1) {
    const int64_t candidate = root + bit;
    if (candidate <= value / candidate) root = candidate;
  }
  return root;
}

int64_t round_off(int64_t value, int bits) { return (value + (int64_t{1} << (bits - 1))) >> bits; }

int16_t saturate(int64_t value) {
  if (value > INT16_MAX) return INT16_MAX;
  if (value < INT16_MIN) return INT16_MIN;
  return static_cast<int16_t>(value);
}

// Unit vectors in Q20; sums of walks and rests before that.
struct Vector {
  int64_t axis[kAxes];
};

int64_t length(const Vector& v) {
  return square_root(v.axis[0] * v.axis[0] + v.axis[1] * v.axis[1] + v.axis[2] * v.axis[2]);
}

Vector unit(const Vector& v) {
  const int64_t norm = length(v);
  Vector out;
  for (int i = 0; i < kAxes; ++i) out.axis[i] = rounded_quotient(v.axis[i] * (int64_t{1} << kUnitBits), norm);
  return out;
}

Vector cross(const Vector& a, const Vector& b) {
  return {{a.axis[1] * b.axis[2] - a.axis[2] * b.axis[1], a.axis[2] * b.axis[0] - a.axis[0] * b.axis[2],
           a.axis[0] * b.axis[1] - a.axis[1] * b.axis[0]}};
}

Vector cross_of_units(const Vector& a, const Vector& b) {
  Vector out = cross(a, b);
  for (int64_t& value : out.axis) value = round_off(value, kUnitBits);
  return out;
}

// Up, and two horizontal axes that make a right-handed frame with it, in the board's axes.
struct Basis {
  Vector axis[kAxes];
};

Basis upright_basis(const Vector& rest) {
  Basis basis;
  basis.axis[0] = unit(rest);
  int least = 0;
  int64_t size[kAxes];
  for (int i = 0; i < kAxes; ++i) {
    const int64_t value = basis.axis[0].axis[i];
    size[i] = value < 0 ? -value : value;
    if (size[i] < size[least]) least = i;
  }
  Vector helper = {{0, 0, 0}};
  helper.axis[least] = 1;
  basis.axis[1] = unit(cross(basis.axis[0], helper));
  basis.axis[2] = cross_of_units(basis.axis[0], basis.axis[1]);
  return basis;
}

// A walk along a basis, without its mean. Channels: acceleration up, first, second; angular rate likewise.
struct Walk {
  int16_t (&block)[Calibration::kWalkBlocks][kChannelCount];

  static constexpr int kCount = Calibration::kWalkBlocks;

  void project(const Basis& basis) {
    int64_t mean[kChannelCount];
    for (int c = 0; c < kChannelCount; ++c) {
      int64_t sum = 0;
      for (int t = 0; t < kCount; ++t) sum += block[t][c];
      mean[c] = rounded_quotient(sum, kCount);
    }
    for (int t = 0; t < kCount; ++t) {
      for (int sensor = 0; sensor < kChannelCount; sensor += kAxes) {
        int64_t centred[kAxes];
        for (int i = 0; i < kAxes; ++i) centred[i] = block[t][sensor + i] - mean[sensor + i];
        for (int i = 0; i < kAxes; ++i) {
          const int64_t* axis = basis.axis[i].axis;
          const int64_t along = axis[0] * centred[0] + axis[1] * centred[1] + axis[2] * centred[2];
          block[t][sensor + i] = saturate(round_off(along, kUnitBits));
        }
      }
    }
  }

  // The sum of channel `leader` times channel `follower` `lag` blocks later: below 2^37.
  int64_t product(int leader, int follower, int lag) const {
    int64_t sum = 0;
    const int from = lag < 0 ? -lag : 0;
    const int to = lag > 0 ? kCount - lag : kCount;
    for (int t = from; t < to; ++t) sum += int32_t{block[t][leader]} * block[t + lag][follower];
    return sum;
  }

  bool has_rhythm() const {
    const int64_t energy = product(0, 0, 0);
    int64_t strongest = INT64_MIN;
    for (int lag = kShortestStep; lag <= kLongestStep; ++lag) {
      const int64_t likeness = product(0, 0, lag);
      if (likeness > strongest) strongest = likeness;
    }
    return energy > 0 && kRhythmDivisor * strongest >= energy;
  }
};

// UCI-HAR's y along the first and second horizontal axis, Q14, and as long as it is certain: about 1.
struct Heading {
  int64_t real;
  int64_t imaginary;

  bool certain() const { return real * real + imaginary * imaginary >= kMinCertainty * kMinCertainty; }
};

Heading heading_of(const Walk& walk) {
  Heading out = {0, 0};
  int row = 0;
  for (int leader = 0; leader < kChannelCount; leader += kAxes) {
    for (int follower = 1; follower < kChannelCount; follower += kAxes, ++row) {
      int64_t real = 0;
      int64_t imaginary = 0;
      for (int k = 0; k < kLags; ++k) {
        const int64_t x = walk.product(leader, follower, k - kMaxLag);
        const int64_t y = walk.product(leader, follower + 1, k - kMaxLag);
        const int16_t* weight = kDirectionWeights[row][k];
        real += x * weight[0] - y * weight[1];
        imaginary += x * weight[1] + y * weight[0];
      }
      const int64_t follower_energy =
          walk.product(follower, follower, 0) + walk.product(follower + 1, follower + 1, 0);
      const int64_t scale = square_root(walk.product(leader, leader, 0)) * square_root(follower_energy);
      out.real += rounded_quotient(real, scale > 0 ? scale : 1);
      out.imaginary += rounded_quotient(imaginary, scale > 0 ? scale : 1);
    }
  }
  return out;
}

// The upright frame turned to the heading, then tilted as people's boards are.
Rotation rotation_of(const Basis& basis, const Heading& heading) {
  const int64_t norm = square_root(heading.real * heading.real + heading.imaginary * heading.imaginary);
  const int64_t along = rounded_quotient(heading.real * (int64_t{1} << kUnitBits), norm);
  const int64_t across = rounded_quotient(heading.imaginary * (int64_t{1} << kUnitBits), norm);
  Basis frame;
  frame.axis[0] = basis.axis[0];
  for (int j = 0; j < kAxes; ++j) {
    frame.axis[1].axis[j] = round_off(along * basis.axis[1].axis[j] + across * basis.axis[2].axis[j], kUnitBits);
  }
  frame.axis[2] = cross_of_units(frame.axis[0], frame.axis[1]);
  Rotation out;
  for (int i = 0; i < kAxes; ++i) {
    for (int j = 0; j < kAxes; ++j) {
      int64_t sum = 0;
      for (int k = 0; k < kAxes; ++k) sum += kStandingTilt[i][k] * frame.axis[k].axis[j];
      out.q14[i][j] = static_cast<int16_t>(round_off(sum, 2 * kUnitBits - 14));
    }
  }
  return out;
}

Vector acceleration(const int32_t sums[kChannelCount]) { return {{sums[0], sums[1], sums[2]}}; }

}  // namespace

void Calibration::Sums::clear() {
  for (int c = 0; c < kChannelCount; ++c) {
    linear[c] = 0;
    square[c] = 0;
  }
}

void Calibration::Sums::add(const int16_t sample[kChannelCount]) {
  for (int c = 0; c < kChannelCount; ++c) {
    linear[c] += sample[c];
    square[c] += int32_t{sample[c]} * sample[c];
  }
}

void Calibration::Sums::add(const Sums& other) {
  for (int c = 0; c < kChannelCount; ++c) {
    linear[c] += other.linear[c];
    square[c] += other.square[c];
  }
}

int64_t Calibration::Sums::spread(int first, int32_t count) const {
  int64_t total = 0;
  for (int c = first; c < first + kAxes; ++c) total += count * square[c] - int64_t{linear[c]} * linear[c];
  return total;
}

bool Calibration::Sums::still(int32_t count) const {
  const int64_t acceleration_limit = int64_t{count} * kStillAcceleration;
  const int64_t rate_limit = int64_t{count} * kStillRate;
  return spread(0, count) <= acceleration_limit * acceleration_limit &&
         spread(kAxes, count) <= rate_limit * rate_limit;
}

void Calibration::start() {
  state_ = CalibrationState::kStandStill;
  result_ = kPlainMounting;
  elapsed_ = 0;
  still_ = 0;
  pending_ = 0;
  chunk_.clear();
  rest_.clear();
}

void Calibration::cancel() {
  if (under_way()) state_ = CalibrationState::kCancelled;
}

CalibrationState Calibration::push(const int16_t sample[kChannelCount]) {
  switch (state_) {
    case CalibrationState::kStandStill:
      stand(sample);
      break;
    case CalibrationState::kWalk:
      walk(sample);
      break;
    case CalibrationState::kIdle:
    case CalibrationState::kDone:
    case CalibrationState::kFailedMoved:
    case CalibrationState::kFailedGravity:
    case CalibrationState::kFailedNoWalk:
    case CalibrationState::kCancelled:
      break;
  }
  return state_;
}

uint8_t Calibration::progress() const {
  switch (state_) {
    case CalibrationState::kStandStill:
      return static_cast<uint8_t>(255 * (still_ + pending_) / kStillSamples);
    case CalibrationState::kWalk:
      return static_cast<uint8_t>(255 * blocks_ / kWalkBlocks);
    case CalibrationState::kDone:
      return 255;
    case CalibrationState::kIdle:
    case CalibrationState::kFailedMoved:
    case CalibrationState::kFailedGravity:
    case CalibrationState::kFailedNoWalk:
    case CalibrationState::kCancelled:
      break;
  }
  return 0;
}

void Calibration::stand(const int16_t sample[kChannelCount]) {
  ++elapsed_;
  chunk_.add(sample);
  if (++pending_ == kStillChunkSamples) {
    if (chunk_.still(kStillChunkSamples)) {
      rest_.add(chunk_);
      still_ = static_cast<uint16_t>(still_ + kStillChunkSamples);
    } else {
      rest_.clear();
      still_ = 0;
    }
    chunk_.clear();
    pending_ = 0;
  }
  if (still_ == kStillSamples) {
    // Each half second was still; slow leaning shows over the whole.
    if (rest_.still(kStillSamples)) return end_standing();
    rest_.clear();
    still_ = 0;
  }
  if (elapsed_ == kStandLimitSamples) state_ = CalibrationState::kFailedMoved;
}

void Calibration::end_standing() {
  const int64_t gravity = length(acceleration(rest_.linear));
  if (gravity < int64_t{kStillSamples} * kLowestG || gravity > int64_t{kStillSamples} * kHighestG) {
    state_ = CalibrationState::kFailedGravity;
    return;
  }
  state_ = CalibrationState::kWalk;
  elapsed_ = 0;
  blocks_ = 0;
  for (int32_t& sum : block_) sum = 0;
}

void Calibration::walk(const int16_t sample[kChannelCount]) {
  ++elapsed_;
  for (int c = 0; c < kChannelCount; ++c) block_[c] += sample[c];
  if (++pending_ == kBlockSamples) {
    for (int c = 0; c < kChannelCount; ++c) {
      walk_[blocks_][c] = static_cast<int16_t>((block_[c] + kBlockSamples / 2) >> 2);
      block_[c] = 0;
    }
    static_assert(kBlockSamples == 1 << 2, "the shift divides by the samples of a block");
    pending_ = 0;
    ++blocks_;
    if (blocks_ % kChunkBlocks == 0 && !last_chunk_moves()) blocks_ = 0;
  }
  if (blocks_ == kWalkBlocks) {
    if (find_mounting()) {
      state_ = CalibrationState::kDone;
      return;
    }
    blocks_ = 0;
  }
  if (elapsed_ == kWalkLimitSamples) state_ = CalibrationState::kFailedNoWalk;
}

bool Calibration::last_chunk_moves() const {
  Sums chunk = {};
  for (int t = blocks_ - kChunkBlocks; t < blocks_; ++t) chunk.add(walk_[t]);
  const int64_t acceleration_limit = int64_t{kChunkBlocks} * kWalkAcceleration;
  const int64_t rate_limit = int64_t{kChunkBlocks} * kWalkRate;
  return chunk.spread(0, kChunkBlocks) >= acceleration_limit * acceleration_limit &&
         chunk.spread(kAxes, kChunkBlocks) >= rate_limit * rate_limit;
}

bool Calibration::find_mounting() {
  const Vector rest = acceleration(rest_.linear);
  const Basis basis = upright_basis(rest);
  Walk walk = {walk_};
  walk.project(basis);
  if (!walk.has_rhythm()) return false;
  const Heading heading = heading_of(walk);
  if (!heading.certain()) return false;
  result_.rotation = rotation_of(basis, heading);
  const int64_t one_g = int64_t{kRestCounts} * kStillSamples * kQ14One;
  result_.acc_gain_q14 = static_cast<uint16_t>(rounded_quotient(one_g, length(rest)));
  return true;
}

}  // namespace hardwear
