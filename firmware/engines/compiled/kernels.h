// The layers of an int8 network over rows, straightforward and portable (planes.h has the fast ones), to the last bit what TFLite-Micro's reference kernels
// compute (gemmlowp's double rounding). Weights, multipliers and sizes come from generated/compiled_model.h, whose
// generator has proved for them that no sum here can leave 32 bits.
//
// Activations are int8, sample-major: `positions` rows of `channels` values. Input and output of a layer must not
// overlap, except where said. Nothing here keeps state; all of it may be called from anywhere, interrupts included.
#pragma once

#include <cstdint>

#include "engines/compiled/dsp.h"

namespace hardwear {
namespace kernels {

// A real factor: mantissa * 2^(shift - 31). A positive shift is to the left.
struct Multiplier {
  int32_t mantissa;
  int8_t shift;
};

// What an output channel is limited to; `low` is the zero point where ReLU is fused.
struct Clamp {
  int8_t low;
  int8_t high;
};

// Convolution over time.
struct Conv1D {
  uint16_t in_positions;
  uint16_t out_positions;
  uint16_t in_channels;
  uint16_t out_channels;
  uint8_t taps;
  uint8_t stride;
  uint8_t pad_left;  // positions before the first; outside the input the kernel reads its zero point
  int8_t input_zero_point;
  int8_t output_zero_point;
  Clamp clamp;
  const int8_t* weights;          // [out_channels][taps][in_channels]
  const int32_t* bias;            // [out_channels], less input zero point * sum of the channel's weights
  const Multiplier* multipliers;  // [out_channels]
};

// Every input to every output.
struct FullyConnected {
  uint16_t inputs;
  uint16_t outputs;
  int8_t output_zero_point;
  Clamp clamp;
  Multiplier multiplier;
  // Of every four outputs [group of four inputs][4 outputs][4 inputs], then [4 outputs][inputs that are left]; of the
  // outputs that are left [output][inputs].
  const int8_t* weights;
  const int32_t* bias;  // [outputs], less input zero point * sum of the output's weights
};

// Largest or mean value of `width` positions, every `stride` positions.
struct Pool {
  uint16_t positions;  // of the output
  uint16_t channels;
  uint16_t width;
  uint16_t stride;
  Clamp clamp;
};

// Mean over all positions; 1 / positions is part of the multiplier.
struct Mean {
  uint16_t positions;  // of the input
  uint16_t channels;
  int8_t input_zero_point;
  int8_t output_zero_point;
  Multiplier multiplier;
};

// value * 2^-exponent, rounded to nearest, halves away from zero.
inline int32_t rounding_divide_by_power_of_two(int32_t value, int32_t exponent) {
  const int32_t mask = static_cast<int32_t>((UINT32_C(1) << exponent) - 1);
  const int32_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
  return (value >> exponent) + ((value & mask) > threshold ? 1 : 0);
}

// value * multiplier, rounded twice: by the doubling high multiplication, then by the right shift.
inline int32_t multiply(int32_t value, const Multiplier& multiplier) {
  const int32_t left = multiplier.shift > 0 ? multiplier.shift : 0;
  const int32_t right = multiplier.shift > 0 ? 0 : -multiplier.shift;
  const int64_t product = static_cast<int64_t>(value * (INT32_C(1) << left)) * multiplier.mantissa;
  const int32_t high = static_cast<int32_t>((product + (INT64_C(1) << 30)) >> 31);
  return rounding_divide_by_power_of_two(high, right);
}

inline int8_t clamp_to(int32_t value, const Clamp& clamp) {
  if (value < clamp.low) return clamp.low;
  if (value > clamp.high) return clamp.high;
  return static_cast<int8_t>(value);
}

// Sum of a[i] * b[i]; four at a time, so that the loop itself costs little.
inline int32_t dot(const int8_t* a, const int8_t* b, int32_t count) {
  int32_t sum = 0;
  const int8_t* const fours = a + (count & ~INT32_C(3));
  while (a != fours) {
    sum += a[0] * b[0];
    sum += a[1] * b[1];
    sum += a[2] * b[2];
    sum += a[3] * b[3];
    a += 4;
    b += 4;
  }
  for (int32_t i = 0; i < (count & 3); ++i) sum += a[i] * b[i];
  return sum;
}

inline int32_t sum_of(const int8_t* values, int32_t count) {
  int32_t sum = 0;
  for (int32_t i = 0; i < count; ++i) sum += values[i];
  return sum;
}

// Never inlined, as the dense layer below: what it costs should not depend on how often it is called.
__attribute__((noinline)) inline void conv1d(const Conv1D& layer, const int8_t* input, int8_t* output) {
  const int32_t row = layer.taps * layer.in_channels;
  for (int32_t position = 0; position < layer.out_positions; ++position) {
    // The part of the kernel that hangs over the start or the end of the input reads zero points. Folding the zero
    // point into the bias subtracted it there too, so it is added back.
    const int32_t first = position * layer.stride - layer.pad_left;
    const int32_t beyond = first + layer.taps - layer.in_positions;
    const int32_t before_size = (first < 0 ? -first : 0) * layer.in_channels;
    const int32_t after_size = (beyond > 0 ? beyond : 0) * layer.in_channels;
    const int32_t inside_size = row - before_size - after_size;
    const int8_t* const inside = input + (first < 0 ? 0 : first) * layer.in_channels;

    const int8_t* weights = layer.weights;
    for (int32_t channel = 0; channel < layer.out_channels; ++channel) {
      int32_t sum = layer.bias[channel] + dot(inside, weights + before_size, inside_size);
      if (inside_size != row) {
        const int32_t outside = sum_of(weights, before_size) + sum_of(weights + row - after_size, after_size);
        sum += layer.input_zero_point * outside;
      }
      *output++ = clamp_to(multiply(sum, layer.multipliers[channel]) + layer.output_zero_point, layer.clamp);
      weights += row;
    }
  }
}

// Adds to `sums` the products of `groups` times four inputs, at least one, with four rows of weights, [group][row][4]. Sign
// extension of bytes 0 and 2, then of 1 and 3, makes operands of SMLAD; each input is widened once for all rows.
#if HARDWEAR_DSP
// r7 is saved by hand: a build with frame pointers does not let it be named.
__attribute__((noinline)) inline void dot_four_rows(const int8_t* input, const int8_t* weights, int32_t groups,
                                                    int32_t* sums) {
  register const int8_t* r0 __asm__("r0") = input;
  register const int8_t* r1 __asm__("r1") = weights;
  register const int8_t* r2 __asm__("r2") = input + 4 * groups;
  register int32_t* r3 __asm__("r3") = sums;
  __asm__ volatile(
      R"(
      push {r3, r7}
      ldm r3, {r3-r6}
    1:
      ldr r11, [r0], #4
      ldm r1!, {r7-r10}
      sxtb16 r12, r11, ror #8
      sxtb16 r11, r11
      sxtb16 lr, r7, ror #8
      smlad r3, lr, r12, r3
      sxtb16 r7, r7
      smlad r3, r7, r11, r3
      sxtb16 lr, r8, ror #8
      smlad r4, lr, r12, r4
      sxtb16 r8, r8
      smlad r4, r8, r11, r4
      sxtb16 lr, r9, ror #8
      smlad r5, lr, r12, r5
      sxtb16 r9, r9
      smlad r5, r9, r11, r5
      sxtb16 lr, r10, ror #8
      smlad r6, lr, r12, r6
      sxtb16 r10, r10
      smlad r6, r10, r11, r6
      cmp r0, r2
      bne 1b
      pop {r0, r7}
      stm r0, {r3-r6}
      )"
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
      :
      : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
#else
inline void dot_four_rows(const int8_t* input, const int8_t* weights, int32_t groups, int32_t* sums) {
  for (int32_t group = 0; group < groups; ++group, input += 4) {
    for (int32_t row = 0; row < 4; ++row, weights += 4) sums[row] += dot(input, weights, 4);
  }
}
#endif

__attribute__((noinline)) inline void fully_connected(const FullyConnected& layer, const int8_t* input, int8_t* output) {
  const int8_t* weights = layer.weights;
  const int32_t* bias = layer.bias;
  const int32_t groups = layer.inputs / 4, rest = layer.inputs % 4;
  const Multiplier multiplier = layer.multiplier;
  const int32_t zero_point = layer.output_zero_point;
  const Clamp clamp = layer.clamp;
  const auto rescale = [=](int32_t sum) { return clamp_to(multiply(sum, multiplier) + zero_point, clamp); };
  int32_t left = layer.outputs;
  for (; left >= 4; left -= 4, bias += 4, output += 4) {
    int32_t sums[4] = {bias[0], bias[1], bias[2], bias[3]};
    if (groups != 0) dot_four_rows(input, weights, groups, sums);
    weights += 16 * groups;
    for (int32_t row = 0; row < 4 && rest != 0; ++row, weights += rest) {
      sums[row] += dot(input + 4 * groups, weights, rest);
    }
    for (int32_t row = 0; row < 4; ++row) output[row] = rescale(sums[row]);
  }
  for (; left > 0; --left, weights += layer.inputs) {
    *output++ = rescale(*bias++ + dot(input, weights, layer.inputs));
  }
}

inline void max_pool(const Pool& layer, const int8_t* input, int8_t* output) {
  for (int32_t position = 0; position < layer.positions; ++position) {
    const int8_t* const pooled = input + position * layer.stride * layer.channels;
    for (int32_t channel = 0; channel < layer.channels; ++channel) {
      int8_t largest = pooled[channel];
      for (int32_t i = 1; i < layer.width; ++i) {
        const int8_t value = pooled[i * layer.channels + channel];
        if (value > largest) largest = value;
      }
      *output++ = clamp_to(largest, layer.clamp);
    }
  }
}

// The mean is rounded to nearest, halves away from zero.
inline void average_pool(const Pool& layer, const int8_t* input, int8_t* output) {
  const int32_t half = layer.width / 2;
  for (int32_t position = 0; position < layer.positions; ++position) {
    const int8_t* const pooled = input + position * layer.stride * layer.channels;
    for (int32_t channel = 0; channel < layer.channels; ++channel) {
      int32_t sum = 0;
      for (int32_t i = 0; i < layer.width; ++i) sum += pooled[i * layer.channels + channel];
      *output++ = clamp_to((sum > 0 ? sum + half : sum - half) / layer.width, layer.clamp);
    }
  }
}

inline void mean(const Mean& layer, const int8_t* input, int8_t* output) {
  const Clamp int8_range = {INT8_MIN, INT8_MAX};
  for (int32_t channel = 0; channel < layer.channels; ++channel) {
    int32_t sum = -layer.input_zero_point * layer.positions;
    for (int32_t position = 0; position < layer.positions; ++position) {
      sum += input[position * layer.channels + channel];
    }
    output[channel] = clamp_to(multiply(sum, layer.multiplier) + layer.output_zero_point, int8_range);
  }
}

// output[i] = table[input[i] + 128]: any element-wise map of int8. Works in place.
inline void map_values(const int8_t (&table)[256], const int8_t* input, int8_t* output, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) output[i] = table[input[i] + 128];
}

}  // namespace kernels
}  // namespace hardwear
