// The dense layer with weights that are int16 in flash, four outputs at a time, to the last bit equal to the plain one.
//
// As in planes.h, sums are kept doubled: the high half of the product, SMMULR, is the doubling high multiplication. The
// generator has proved that no doubled sum, and nothing after it, leaves 32 bits.
#pragma once

#include <cstdint>

#include "engines/compiled/dsp.h"
#include "engines/compiled/kernels.h"

namespace hardwear {
namespace kernels {

struct Dense {
  uint16_t inputs;  // a multiple of four
  uint16_t outputs;
  int32_t multiplier;  // mantissa
  int32_t half;        // what rounds the right shift, plus the output's zero point shifted left
  int32_t shift;       // to the right
  Clamp clamp;
  // Doubled: [fours of outputs][fours of inputs][inputs 0 and 2, inputs 1 and 3][output][2]; outputs are filled up to fours.
  const int16_t* weights;
  const int32_t* bias;  // doubled; less input zero point * sum of the output's weights
};

// Adds to four sums the products of all inputs. `unroll` fours of inputs are computed between two branches.
#if HARDWEAR_DSP
// r7 is saved by hand: a build with frame pointers does not let it be named.
template <int32_t unroll>
__attribute__((noinline)) void dense_four(const int16_t* weights, const int8_t* input, const int8_t* end, int32_t* sums) {
  register const int16_t* r0 __asm__("r0") = weights;
  register const int8_t* r1 __asm__("r1") = input;
  register const int8_t* r2 __asm__("r2") = end;
  register int32_t* r3 __asm__("r3") = sums;
  __asm__ volatile(
      R"(
      push {r3, r7}
      mov r12, r2
      ldm r3, {r2-r5}
    1:
      .rept %c[unroll]
        ldr r10, [r1], #4
        ldm r0!, {r6-r9}
        sxtb16 r11, r10
        sxtb16 r10, r10, ror #8
        smlad r2, r11, r6, r2
        smlad r3, r11, r7, r3
        smlad r4, r11, r8, r4
        smlad r5, r11, r9, r5
        ldm r0!, {r6-r9}
        smlad r2, r10, r6, r2
        smlad r3, r10, r7, r3
        smlad r4, r10, r8, r4
        smlad r5, r10, r9, r5
      .endr
      cmp r1, r12
      bne 1b
      pop {r6, r7}
      stm r6, {r2-r5}
      )"
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
      : [unroll] "i"(unroll)
      : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
}
#else
template <int32_t unroll>
void dense_four(const int16_t* weights, const int8_t* input, const int8_t* end, int32_t* sums) {
  for (; input != end; input += 4) {
    for (int32_t odd = 0; odd < 2; ++odd) {
      for (int32_t i = 0; i < 4; ++i, weights += 2) sums[i] += input[odd] * weights[0] + input[odd + 2] * weights[1];
    }
  }
}
#endif

template <int32_t unroll>
__attribute__((noinline)) void dense(const Dense& layer, const int8_t* input, int8_t* output) {
  const int16_t* weights = layer.weights;
  // Where nothing is shifted, halves round up; elsewhere away from zero.
  const int32_t away = layer.shift != 0 ? -1 : 0;
  for (int32_t first = 0; first < layer.outputs; first += 4, weights += 4 * layer.inputs) {
    const int32_t* const bias = layer.bias + first;
    int32_t sums[4] = {bias[0], bias[1], bias[2], bias[3]};
    dense_four<unroll>(weights, input, input + layer.inputs, sums);
    for (int32_t i = 0; i < 4 && first + i < layer.outputs; ++i) {
      // The sign of the sum does for the sign of the product: where they differ the product is 0, which stays 0.
      const int32_t rounding = layer.half + ((sums[i] < 0 ? -1 : 0) & away);
      output[first + i] = clamp_to((dsp::smmulr(sums[i], layer.multiplier) + rounding) >> layer.shift, layer.clamp);
    }
  }
}

}  // namespace kernels
}  // namespace hardwear
