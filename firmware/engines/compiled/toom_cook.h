// Convolutions over planes with fewer multiplications, after Toom, Cook and Winograd, and to the last bit equal.
//
// Four positions of a filter of five taps take 20 products; minimal filtering does them with 8, those of three taps
// with 6 instead of 12. The eight inputs of such a tile are replaced by integer combinations of them, the values at
// eight points (0, 1, -1, 2, -2, 1/2, -1/2, infinity) of the polynomial that they are the coefficients of; the
// generator has done the same with the weights. At every point, products are added up over the channels with SMLAD: a
// small multiplication of matrices. Combinations of these sums, divided by 360 (by 24 for three taps, with the points
// 0, 1, -1, 2, -2, infinity), are the outputs. The mathematics is in hardwear/codegen/minimal_filtering.py.
//
// All of it is exact modulo 2^32, whatever overflows on the way: a division by 45 (by 3) is a multiplication there, and
// the generator has proved that 8 times every output, which it leaves, fits 32 bits.
#pragma once

#include <cstdint>

#include "engines/compiled/dsp.h"
#include "engines/compiled/planes.h"

namespace hardwear {
namespace kernels {

constexpr int32_t kTile = 4;    // positions that are computed together
constexpr int32_t kCouple = 2;  // tiles that are finished together
constexpr int32_t kStrip = 4;   // tiles that meet a pair of output channels at a time

constexpr int32_t points_of(int32_t taps) { return taps + kTile - 1; }

// What one output channel needs to become bytes. The assembly below knows the order.
struct TileChannel {
  uint32_t inverse;  // of the odd part of the divisor, modulo 2^32
  // 8 times: what is added to the first two outputs of a tile, to the third and to the last. They differ by what raises
  // the inputs.
  int32_t bias;
  int32_t third_bias;
  int32_t last_bias;
  const uint8_t* table;
  int32_t multiplier;
  int32_t half;   // 4 times: what rounds the right shift and half a unit, plus the output's zero point as stored
  int32_t shift;  // by 2 more than the multiplier's
};

// The inputs of one tile, of `unroll` pairs of channels, to their values at the points: v[point][pair][tile]. Words of
// four bytes are two pairs, bytes 0 and 2, then 1 and 3. A word of two channels is one number, high * 65536 + low, and
// stays one through every sum: the low half never borrows from the high one, because the last two inputs are raised
// there by just as much as it takes. The biases make up for it.
//
// All the points but 0 and infinity come with their negatives. Inputs multiplied with x^2 - 4, which vanishes at 2
// and -2, are called a below, with 4 x^2 - 1 b, with x^2 - 1 c; sums of the even and of the odd ones make two points.
#if HARDWEAR_DSP
// All inputs are in registers, and every name below is one, several in turn. r7 is saved by hand: a build with frame
// pointers does not let it be named.
template <int32_t taps, int32_t unroll, int32_t raised, int32_t lanes>
__attribute__((noinline)) void transform_tile(const int8_t* input, uint32_t* v, int32_t stride) {
  register const int8_t* r0 __asm__("r0") = input;
  register uint32_t* r1 __asm__("r1") = v;
  register int32_t r2 __asm__("r2") = stride;
  __asm__ volatile(
      R"(
      push {r7}
      mov r12, r2
      add lr, r1, #(16 * %c[unroll])
    1:
      .irp rotation, 0, 8
      .if (\rotation == 0) || (%c[lanes] == 4)
      .if %c[taps] == 5
        ldm r0, {r2-r9}
        .if %c[lanes] == 4
          .irp word, r2, r3, r4, r5, r6, r7, r8, r9
            uxtb16 \word, \word, ror #\rotation
          .endr
        .endif
        add r8, r8, #%c[raised]
        add r9, r9, #%c[raised]
        rsb r10, r6, r8, lsl #2   // b4
        sub r10, r10, r6, lsl #2
        add r10, r10, r4          // even2: less b2
        rsb r11, r5, r7, lsl #2   // b3
        sub r11, r11, r5, lsl #2
        add r11, r11, r3          // odd2: less b1
        sub r2, r4, r2, lsl #2    // a0
        sub r3, r5, r3, lsl #2    // a1
        sub r4, r6, r4, lsl #2    // a2
        sub r5, r7, r5, lsl #2    // a3
        sub r6, r8, r6, lsl #2    // a4
        sub r7, r9, r7, lsl #2    // a5
        sub r10, r10, r11, lsl #1
        add r11, r10, r11, lsl #2
        str r11, [r1, #(3 * 16 * %c[unroll])]
        str r10, [r1, #(4 * 16 * %c[unroll])]
        rsb r8, r4, r6, lsl #2    // even1
        rsb r9, r3, r5, lsl #2    // odd1
        add r10, r8, r9
        sub r11, r8, r9
        str r10, [r1, #(1 * 16 * %c[unroll])]
        str r11, [r1, #(2 * 16 * %c[unroll])]
        rsb r7, r5, r7, lsl #2
        sub r7, r7, r9
        str r7, [r1, #(7 * 16 * %c[unroll])]
        rsb r2, r2, r4, lsl #2
        sub r2, r8, r2
        sub r6, r6, r4            // even_half
        sub r5, r5, r3            // odd_half
        add r3, r5, r6, lsl #1
        rsb r5, r5, r6, lsl #1
        str r3, [r1, #(5 * 16 * %c[unroll])]
        str r5, [r1, #(6 * 16 * %c[unroll])]
      .else
        ldm r0, {r2-r7}
        .if %c[lanes] == 4
          .irp word, r2, r3, r4, r5, r6, r7
            uxtb16 \word, \word, ror #\rotation
          .endr
        .endif
        add r6, r6, #%c[raised]
        add r7, r7, #%c[raised]
        sub r2, r4, r2, lsl #2    // a0
        sub r8, r5, r3            // c1
        sub r3, r5, r3, lsl #2    // a1
        sub r9, r6, r4            // c2
        sub r4, r6, r4, lsl #2    // a2
        sub r5, r7, r5, lsl #2    // a3
        sub r2, r4, r2
        add r6, r4, r3
        sub r4, r4, r3
        str r6, [r1, #(1 * 16 * %c[unroll])]
        str r4, [r1, #(2 * 16 * %c[unroll])]
        add r7, r9, r8, lsl #1
        sub r9, r9, r8, lsl #1
        str r7, [r1, #(3 * 16 * %c[unroll])]
        str r9, [r1, #(4 * 16 * %c[unroll])]
        sub r5, r5, r3
        str r5, [r1, #(5 * 16 * %c[unroll])]
      .endif
      str r2, [r1], #16
      .endif
      .endr
      add r0, r0, r12
      cmp r1, lr
      bne 1b
      pop {r7}
      )"
      : "+r"(r0), "+r"(r1), "+r"(r2)
      : [taps] "i"(taps), [unroll] "i"(unroll), [raised] "i"(raised), [lanes] "i"(lanes)
      : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
#else
template <int32_t taps, int32_t unroll, int32_t raised, int32_t lanes>
void transform_tile(const int8_t* input, uint32_t* v, int32_t stride) {
  constexpr int32_t kPoint = unroll * kStrip;
  for (int32_t pair = 0; pair < unroll; ++pair, v += kStrip) {
    const int8_t* const words = input + pair * 2 / lanes * stride;
    uint32_t d[points_of(taps)];
    for (int32_t i = 0; i < points_of(taps); ++i) {
      d[i] = dsp::load(words + 4 * i);
      if (lanes == 4) d[i] = d[i] >> pair % 2 * 8 & UINT32_C(0x00FF00FF);
    }
    if (taps == 5) {
      d[6] += raised;
      d[7] += raised;
      const uint32_t a0 = d[2] - 4 * d[0], a1 = d[3] - 4 * d[1], a2 = d[4] - 4 * d[2];
      const uint32_t a3 = d[5] - 4 * d[3], a4 = d[6] - 4 * d[4], a5 = d[7] - 4 * d[5];
      const uint32_t b1 = 4 * d[3] - d[1], b2 = 4 * d[4] - d[2], b3 = 4 * d[5] - d[3], b4 = 4 * d[6] - d[4];
      const uint32_t even1 = 4 * a4 - a2, odd1 = 4 * a3 - a1;
      v[0 * kPoint] = even1 - (4 * a2 - a0);
      v[1 * kPoint] = even1 + odd1;
      v[2 * kPoint] = even1 - odd1;
      const uint32_t even2 = b4 - b2, odd2 = b3 - b1;
      v[3 * kPoint] = even2 + 2 * odd2;
      v[4 * kPoint] = even2 - 2 * odd2;
      const uint32_t even_half = a4 - a2, odd_half = a3 - a1;
      v[5 * kPoint] = 2 * even_half + odd_half;
      v[6 * kPoint] = 2 * even_half - odd_half;
      v[7 * kPoint] = (4 * a5 - a3) - odd1;
    } else {
      d[4] += raised;
      d[5] += raised;
      const uint32_t a0 = d[2] - 4 * d[0], a1 = d[3] - 4 * d[1], a2 = d[4] - 4 * d[2], a3 = d[5] - 4 * d[3];
      const uint32_t c1 = d[3] - d[1], c2 = d[4] - d[2];
      v[0 * kPoint] = a2 - a0;
      v[1 * kPoint] = a2 + a1;
      v[2 * kPoint] = a2 - a1;
      v[3 * kPoint] = c2 + 2 * c1;
      v[4 * kPoint] = c2 - 2 * c1;
      v[5 * kPoint] = a3 - a1;
    }
  }
}
#endif

// Sums over all pairs of the products of `weights`, for two output channels, with `v`, for the first `tiles` (a strip
// or a couple) of a strip: products[point][channel][tile]. Both come in rounds of `unroll` pairs; `span` is the size
// of all of `v` in bytes.
#if HARDWEAR_DSP
// Eight sums (r2-r9), two weights and two inputs at a time: eleven instructions for eight SMLAD. The first products
// of a sum are written, not added. r7 is saved by hand: a build with frame pointers does not let it be named.
template <int32_t points, int32_t unroll, bool rounds, int32_t tiles>
__attribute__((noinline)) void multiply_strip(const int16_t* weights, const uint32_t* v, uint32_t* products, int32_t span) {
  register const int16_t* r0 __asm__("r0") = weights;
  register const uint32_t* r1 __asm__("r1") = v;
  register uint32_t* r2 __asm__("r2") = products;
  register int32_t r3 __asm__("r3") = span;
  __asm__ volatile(
      R"(
      push {r7}
      mov r4, r3
      add r5, r1, r3
      add r3, r2, #(32 * %c[points])
      push {r2-r5}
      .set step_, 16
      .if %c[tiles] == 4
        .set step_, 8
      .endif
    1:
      ldm r0!, {r10, r11}
      ldrd r12, lr, [r1], #step_
      smuad r2, r10, r12
      smuad r6, r11, r12
      smuad r3, r10, lr
      smuad r7, r11, lr
      .if %c[tiles] == 4
        ldm r1!, {r12, lr}
        smuad r4, r10, r12
        smuad r8, r11, r12
        smuad r5, r10, lr
        smuad r9, r11, lr
      .endif
      .set left_, %c[unroll] - 1
      .if %c[rounds]
        b 3f
    2:
        .set left_, %c[unroll]
      .endif
      .rept left_
        .if %c[rounds] && (left_ == %c[unroll] - 1)
    3:
        .endif
        .set left_, left_ - 1
        ldm r0!, {r10, r11}
        ldrd r12, lr, [r1], #step_
        smlad r2, r10, r12, r2
        smlad r6, r11, r12, r6
        smlad r3, r10, lr, r3
        smlad r7, r11, lr, r7
        .if %c[tiles] == 4
          ldm r1!, {r12, lr}
          smlad r4, r10, r12, r4
          smlad r8, r11, r12, r8
          smlad r5, r10, lr, r5
          smlad r9, r11, lr, r9
        .endif
      .endr
      .if %c[rounds]
        .if %c[unroll] == 1
    3:
        .endif
        ldr r12, [sp, #12]
        addw r1, r1, #(16 * %c[unroll] * (%c[points] - 1))
        cmp r1, r12
        bne 2b
        ldr r10, [sp, #8]
        add r12, r12, #(16 * %c[unroll])
        str r12, [sp, #12]
        sub r1, r12, r10
      .endif
      ldrd r10, r11, [sp]
      .if %c[tiles] == 4
        stm r10!, {r2-r9}
      .else
        strd r2, r3, [r10], #16
        strd r6, r7, [r10], #16
      .endif
      str r10, [sp]
      cmp r10, r11
      bne 1b
      add sp, sp, #16
      pop {r7}
      )"
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
      : [points] "i"(points), [unroll] "i"(unroll), [rounds] "i"(rounds ? 1 : 0), [tiles] "i"(tiles)
      : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
#else
template <int32_t points, int32_t unroll, bool rounds, int32_t tiles>
void multiply_strip(const int16_t* weights, const uint32_t* v, uint32_t* products, int32_t span) {
  constexpr int32_t kPoint = unroll * kStrip;
  const int32_t round_count = span / (4 * points * kPoint);
  for (int32_t point = 0; point < points; ++point, products += 2 * kStrip) {
    for (int32_t i = 0; i < 2 * kStrip; ++i) products[i] = 0;
    for (int32_t pair = 0; pair < round_count * unroll; ++pair, weights += 4) {
      const uint32_t* const inputs = v + (pair / unroll * points + point) * kPoint + pair % unroll * kStrip;
      for (int32_t i = 0; i < 2 * kStrip; ++i) {
        if (i % kStrip >= tiles) continue;
        const int16_t* const both = weights + i / kStrip * 2;
        const uint32_t input = inputs[i % kStrip];
        products[i] += static_cast<uint32_t>(both[0] * dsp::low_half(input));
        products[i] += static_cast<uint32_t>(both[1] * dsp::high_half(input));
      }
    }
  }
}
#endif

// The products of one output channel, products[point][2 channels][tile], to bytes: two couples of tiles, wherever in
// the channel's plane each of them goes, or only the first where both go to the same place.
#if HARDWEAR_DSP
// Eight outputs are in work at a time; what rescales them is loaded when the products are gone. `products` is aligned
// to 16 bytes, so that bit 3 tells the couples apart.
template <int32_t points, int32_t pool, bool table, bool away, int32_t lanes>
__attribute__((noinline)) void finish_channel(const uint32_t* products, const TileChannel* channel, int8_t* first,
                                              int8_t* second) {
  register const uint32_t* r0 __asm__("r0") = products;
  register const TileChannel* r1 __asm__("r1") = channel;
  register int8_t* r2 __asm__("r2") = first;
  register int8_t* r3 __asm__("r3") = second;
  __asm__ volatile(
      R"(
      push {r7}
      cmp r2, r3
      it ne
      addne r0, r0, #8
      push {r0-r3}
    1:
      ldrd r2, r3, [r0, #32]
      ldrd r4, r5, [r0, #64]
      sub r4, r2, r4
      sub r5, r3, r5
      rsb r2, r4, r2, lsl #1
      rsb r3, r5, r3, lsl #1
      ldrd r6, r7, [r0, #96]
      ldrd r8, r9, [r0, #128]
      sub r8, r6, r8
      sub r9, r7, r9
      rsb r6, r8, r6, lsl #1
      rsb r7, r9, r7, lsl #1
      add r10, r2, r6
      add r2, r2, r6, lsl #2
      add r6, r4, r8, lsl #1
      add r4, r4, r8, lsl #3
      add r8, r3, r7
      add r3, r3, r7, lsl #2
      add r7, r5, r9, lsl #1
      add r5, r5, r9, lsl #3
      .if %c[points] == 8
        ldrd r9, r11, [r0, #160]
        ldrd r12, lr, [r0, #192]
        sub r12, r9, r12
        sub lr, r11, lr
        rsb r9, r12, r9, lsl #1
        rsb r11, lr, r11, lsl #1
        add r10, r10, r9, lsl #3
        add r2, r2, r9, lsl #1
        add r6, r6, r12, lsl #2
        add r4, r4, r12
        add r8, r8, r11, lsl #3
        add r3, r3, r11, lsl #1
        add r7, r7, lr, lsl #2
        add r5, r5, lr
      .endif
      ldrd r9, r11, [r0]
      ldrd r12, lr, [r0, #(32 * (%c[points] - 1))]
      add r10, r10, r9
      add r8, r8, r11
      add r4, r4, r12
      add r5, r5, lr
      ldr r1, [sp, #4]
      ldm r1!, {r9, r11, r12, lr}
      mla r10, r10, r9, r11
      mla r6, r6, r9, r11
      mla r2, r2, r9, r12
      mla r4, r4, r9, lr
      mla r8, r8, r9, r11
      mla r7, r7, r9, r11
      mla r3, r3, r9, r12
      mla r5, r5, r9, lr
      .if %c[pool] != 1
        cmp r10, r6
        it lt
        movlt r10, r6
        cmp r2, r4
        it lt
        movlt r2, r4
        cmp r8, r7
        it lt
        movlt r8, r7
        cmp r3, r5
        it lt
        movlt r3, r5
      .endif
      .if %c[pool] == 4
        cmp r10, r2
        it lt
        movlt r10, r2
        cmp r8, r3
        it lt
        movlt r8, r3
      .endif
      ldm r1, {r1, r9, r11, r12}
      ldr lr, [sp, #12]
      .set word_, 0
      .irp sum, r10, r6, r2, r4, r8, r7, r3, r5
        .if (word_ %% %c[pool]) == 0
          .if %c[away]
            asr r0, \sum, #31
            add r0, r11, r0, lsl #2
            smmla \sum, \sum, r9, r0
          .else
            smmla \sum, \sum, r9, r11
          .endif
          asr \sum, \sum, r12
          usat \sum, #8, \sum
          .if %c[table]
            ldrb \sum, [r1, \sum]
          .endif
          .if %c[lanes] == 4
            strb \sum, [lr, #(4 * word_ / %c[pool])]
          .else
            strh \sum, [lr, #(4 * word_ / %c[pool])]
          .endif
        .endif
        .set word_, word_ + 1
      .endr
      ldr lr, [sp, #8]
      str lr, [sp, #12]
      .if %c[away]
        ldr r0, [sp]
      .endif
      sub r0, r0, #8
      .if %c[away]
        str r0, [sp]
      .endif
      tst r0, #8
      beq 1b
      pop {r0-r3}
      pop {r7}
      )"
      : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
      : [points] "i"(points), [pool] "i"(pool), [table] "i"(table ? 1 : 0), [away] "i"(away ? 1 : 0), [lanes] "i"(lanes)
      : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
#else
template <int32_t points, int32_t pool, bool table, bool away, int32_t lanes>
void finish_channel(const uint32_t* products, const TileChannel* channel, int8_t* first, int8_t* second) {
  for (int32_t tile = 0; tile < (first == second ? kCouple : kStrip); ++tile) {
    const auto product = [&](int32_t point) { return products[point * 2 * kStrip + tile]; };
    const uint32_t sum1 = product(1) + product(2), difference1 = product(1) - product(2);
    const uint32_t sum2 = product(3) + product(4), difference2 = product(3) - product(4);
    uint32_t outputs[kTile] = {product(0) + sum1 + sum2, difference1 + 2 * difference2, sum1 + 4 * sum2,
                               difference1 + 8 * difference2 + product(points - 1)};
    if (points == 8) {
      const uint32_t sum_half = product(5) + product(6), difference_half = product(5) - product(6);
      outputs[0] += 8 * sum_half;
      outputs[1] += 4 * difference_half;
      outputs[2] += 2 * sum_half;
      outputs[3] += difference_half;
    }
    const int32_t biases[kTile] = {channel->bias, channel->bias, channel->third_bias, channel->last_bias};
    int8_t* word = (tile < kCouple ? first : second) + tile % kCouple * kTile / pool * 4;
    for (int32_t i = 0; i < kTile; i += pool, word += 4) {
      int32_t sum = INT32_MIN;
      for (int32_t j = i; j < i + pool; ++j) {
        const int32_t eightfold = static_cast<int32_t>(outputs[j] * channel->inverse + static_cast<uint32_t>(biases[j]));
        if (eightfold > sum) sum = eightfold;
      }
      const int32_t half = channel->half - (away && sum < 0 ? 4 : 0);
      const uint8_t value = dsp::usat8((dsp::smmul(sum, channel->multiplier) + half) >> channel->shift);
      store_lane<lanes>(word, table ? channel->table[value] : value);
    }
  }
}
#endif

// A convolution, with the functions above for its shape. Its input and its output have as many channels in a word.
struct TileConvolution {
  void (*transform)(const int8_t* input, uint32_t* v, int32_t stride);
  void (*multiply)(const int16_t* weights, const uint32_t* v, uint32_t* products, int32_t span);
  void (*multiply_couple)(const int16_t* weights, const uint32_t* v, uint32_t* products, int32_t span);
  void (*finish)(const uint32_t* products, const TileChannel* channel, int8_t* first, int8_t* second);
  const int16_t* weights;       // [pair of output channels][point][pair of input channels][output channel][2]
  const TileChannel* channels;  // two for every pair
  int32_t span;                 // of the values of a strip's inputs, bytes
  uint16_t input_stride;        // of a plane, bytes
  uint16_t output_stride;
  uint16_t rounds;  // of `unroll` pairs of input channels
  uint16_t pairs;   // of output channels
  uint8_t points;
  uint8_t unroll;
  uint8_t tiles;        // even
  uint8_t tile_stride;  // bytes that the outputs of a tile take in a plane
};

// All output channels of a strip, from the values `v` of its inputs: two couples, or only the first where both go to
// the same place. `products` is room for those of two channels.
template <int32_t lanes>
inline void finish_strip(const TileConvolution& layer, const uint32_t* v, uint32_t* products, int8_t* first,
                         int8_t* second) {
  const auto multiply = first == second ? layer.multiply_couple : layer.multiply;
  const auto finish = layer.finish;
  constexpr int32_t kLane = 4 / lanes;  // bytes
  const int32_t span = layer.span, stride = layer.output_stride;
  int32_t step = lanes == 2 ? stride : 2 * kLane;  // to the next pair: planes of four have two
  const int16_t* weights = layer.weights;
  const TileChannel* const end = layer.channels + 2 * layer.pairs;
  for (const TileChannel* channel = layer.channels; channel != end; channel += 2) {
    multiply(weights, v, products, span);
    finish(products, channel, first, second);
    finish(products + kStrip, channel + 1, first + kLane, second + kLane);
    weights += span / 4;  // as many as there are words in `v`
    first += step;
    second += step;
    if (lanes == 4) step = stride - step;
  }
}

// `output`: the first position of the first plane. An even number of `blocks`: they are computed in couples, and in
// strips of two couples. A couple of the last tile on the left and the first on the right is written as if they were
// neighbours, where nothing is computed; then the second moves to its place.
template <int32_t lanes>
__attribute__((noinline)) void compute_tiles(const TileConvolution& layer, int8_t* scratch, const int8_t* input,
                                             int8_t* output, Blocks blocks) {
  constexpr int32_t kPairs = lanes / 2;  // of a plane
  const int32_t skipped = blocks.right - blocks.left;
  const int32_t count = layer.tiles - skipped;
  const int32_t round_words = layer.points * layer.unroll * kStrip;
  uint32_t* const products = reinterpret_cast<uint32_t*>(scratch);
  uint32_t* const v = products + layer.points * 2 * kStrip;
  for (int32_t strip = 0; strip < count; strip += kStrip) {
    const int32_t computed = count - strip < kStrip ? kCouple : kStrip;
    int8_t* outputs[kStrip];
    for (int32_t i = 0; i < computed; ++i) {
      const int32_t tile = strip + i < blocks.left ? strip + i : strip + i + skipped;
      outputs[i] = output + tile * layer.tile_stride;
      const int8_t* planes = input + tile * (4 * kTile);
      uint32_t* values = v + i;
      for (int32_t round = 0; round < layer.rounds; ++round) {
        layer.transform(planes, values, layer.input_stride);
        planes += layer.unroll / kPairs * layer.input_stride;
        values += round_words;
      }
    }
    finish_strip<lanes>(layer, v, products, outputs[0], outputs[computed - kCouple]);
    for (int32_t i = 0; i < computed; i += kCouple) {
      const int8_t* written = outputs[i] + layer.tile_stride;
      if (written == outputs[i + 1]) continue;
      for (int32_t plane = 0; plane < (layer.pairs + kPairs - 1) / kPairs; ++plane, written += layer.output_stride) {
        for (int32_t byte = 0; byte < layer.tile_stride; byte += 4) {
          dsp::store(outputs[i + 1] + plane * layer.output_stride + byte, dsp::load(written + byte));
        }
      }
    }
  }
}

// From planes to planes; `scratch` is what the generator planned, aligned to 16 bytes.
template <typename Out>
__attribute__((noinline)) void convolve_tiles(const TileConvolution& layer, int8_t* scratch, const int8_t* input,
                                              int8_t* output, Blocks blocks = kAllBlocks) {
  compute_tiles<Out::kLanes>(layer, scratch, input, output + Out::offset(0, 0), blocks);
  pad_planes<Out>(output);
}

}  // namespace kernels
}  // namespace hardwear
