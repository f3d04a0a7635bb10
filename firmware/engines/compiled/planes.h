// The fast kernels: convolution, pools and mean over activations laid out in planes.
//
// A plane holds two channels of every position, one word each: channel 2p in the low half, 2p + 1 in the high half, so
// that one SMLAD multiplies and adds both. Before the first position stand `kPad` words of the zero point, the overhang
// of the convolution that reads them; after the last, enough that blocks of four positions may run over. Planes
// follow one another every `kStride` words. Consecutive positions are consecutive words: one LDM loads several.
//
// Sums are kept doubled (weights and biases come doubled), which makes the high half of the product, SMMULR, the
// doubling high multiplication of gemmlowp. The generator has proved that no doubled sum leaves 32 bits.
#pragma once

#include <cstdint>

#include "engines/compiled/dsp.h"
#include "engines/compiled/kernels.h"

namespace hardwear {
namespace kernels {

// Where an activation's planes lie.
template <int32_t channels, int32_t positions, int32_t pad, int32_t stride, int32_t zero_point>
struct Planes {
  static constexpr int32_t kChannels = channels;
  static constexpr int32_t kPairs = (channels + 1) / 2;
  static constexpr int32_t kPositions = positions;
  static constexpr int32_t kPad = pad;
  static constexpr int32_t kStride = stride;  // words
  static constexpr int32_t kZeroPoint = zero_point;
};

// What one output channel adds to its sum and how it is rescaled.
struct PlanesChannel {
  int32_t bias;        // doubled; less input zero point * sum of the weights
  int32_t multiplier;  // mantissa
  int32_t half;        // what rounds the right shift, plus the output's zero point shifted left
  int32_t shift;       // to the right
};

// What a block of four positions reads and writes. The assembly below knows the order.
struct ConvolutionRun {
  const int16_t* input;  // of the block's first position
  const int16_t* weights;
  int32_t bias;
  int32_t multiplier;
  int32_t half;
  int32_t shift;
  int16_t* output;
  const int16_t* output_end;
  const int16_t* weights_end;
  const int8_t* table;  // output[table[q]] for the rescaled q; its middle, so that q may be negative
  int32_t sign_mask;    // -1, or 0 where the channel is not shifted: there halves round up
};

// A convolution: `in` and `out` are Planes, pooled by `pool` positions; `table` maps the output by a table;
// `unshifted` says that a channel has shift 0; `unroll` planes are computed between two branches.
template <typename in, typename out, int32_t taps, int32_t pool, bool table, bool unshifted, int32_t unroll>
struct Convolution {
  using In = in;
  using Out = out;
  static constexpr int32_t kTaps = taps;
  static constexpr int32_t kPool = pool;
  static constexpr bool kTable = table;
  static constexpr bool kUnshifted = unshifted;
  static constexpr int32_t kUnroll = unroll;
  static constexpr int32_t kBlocks = (out::kPositions * pool + 3) / 4;
  static constexpr int32_t kChannelWeights = in::kPairs * taps * 2;
  static_assert(taps == 3 || taps == 5, "kernels for three and for five taps");
  static_assert(pool == 1 || pool == 2 || pool == 4, "pools that divide a block");
  static_assert(in::kPairs % unroll == 0, "whole rounds");
};

// All blocks of one output channel.
#if HARDWEAR_DSP
// A block keeps four sums (r2-r5), the weights of one plane (r6-r10, three taps: r6-r8) and as many inputs as are left
// registers; every input is used by all the taps that reach it before the next are loaded. r7 is saved by hand: a
// build with frame pointers does not let it be named.
template <typename Layer>
__attribute__((noinline)) void convolve_channel(const ConvolutionRun* run) {
  register const ConvolutionRun* r0 __asm__("r0") = run;
  __asm__ volatile(
      R"(
      push {r7}
      ldmia r0!, {r1-r6}
      ldmia r0, {r8-r12}
      push {r1-r6, r8-r12}
    1:
      ldrd r0, r1, [sp]
      ldr r2, [sp, #8]
      add r3, r0, #16
      str r3, [sp]
      mov r3, r2
      mov r4, r2
      mov r5, r2
    2:
      .rept %c[unroll]
      .if %c[taps] == 5
        ldmia r1!, {r6-r10}
        ldmia r0!, {r11, r12, lr}
        smlad r2, r11, r6, r2
        smlad r2, r12, r7, r2
        smlad r3, r12, r6, r3
        smlad r2, lr, r8, r2
        smlad r3, lr, r7, r3
        smlad r4, lr, r6, r4
        ldmia r0!, {r11, r12, lr}
        smlad r2, r11, r9, r2
        smlad r3, r11, r8, r3
        smlad r4, r11, r7, r4
        smlad r5, r11, r6, r5
        smlad r2, r12, r10, r2
        smlad r3, r12, r9, r3
        smlad r4, r12, r8, r4
        smlad r5, r12, r7, r5
        smlad r3, lr, r10, r3
        smlad r4, lr, r9, r4
        smlad r5, lr, r8, r5
        ldrd r11, r12, [r0], #(4 * %c[stride] - 24)
        smlad r4, r11, r10, r4
        smlad r5, r11, r9, r5
        smlad r5, r12, r10, r5
      .else
        ldmia r1!, {r6-r8}
        ldmia r0!, {r9-r12}
        smlad r2, r9, r6, r2
        smlad r2, r10, r7, r2
        smlad r3, r10, r6, r3
        smlad r2, r11, r8, r2
        smlad r3, r11, r7, r3
        smlad r4, r11, r6, r4
        smlad r3, r12, r8, r3
        smlad r4, r12, r7, r4
        smlad r5, r12, r6, r5
        ldrd r9, r10, [r0], #(4 * %c[stride] - 16)
        smlad r4, r9, r8, r4
        smlad r5, r9, r7, r5
        smlad r5, r10, r8, r5
      .endif
      .endr
      .if %c[unroll] != %c[pairs]
        ldr r12, [sp, #32]
        cmp r1, r12
        bne 2b
      .endif

      .if %c[pool] != 1
        cmp r2, r3
        it lt
        movlt r2, r3
        cmp r4, r5
        it lt
        movlt r4, r5
      .endif
      .if %c[pool] == 4
        cmp r2, r4
        it lt
        movlt r2, r4
      .endif
      ldrd r6, r7, [sp, #12]
      ldrd r8, r9, [sp, #20]
      .if %c[table]
        ldr r10, [sp, #36]
      .endif
      .if %c[unshifted]
        ldr r11, [sp, #40]
      .endif
      .irp sum, r2, r3, r4, r5
        .set kept_, 1
        .ifc \sum, r3
          .set kept_, %c[pool] == 1
        .endif
        .ifc \sum, r4
          .set kept_, %c[pool] != 4
        .endif
        .ifc \sum, r5
          .set kept_, %c[pool] == 1
        .endif
        .if kept_
          .if %c[unshifted]
            and r12, r11, \sum, asr #31
            add r12, r12, r7
          .else
            add r12, r7, \sum, asr #31
          .endif
          smmlar \sum, \sum, r6, r12
          asr \sum, \sum, r8
          ssat \sum, #8, \sum
          .if %c[table]
            ldrsb \sum, [r10, \sum]
          .endif
          strh \sum, [r9], #4
        .endif
      .endr
      ldr r12, [sp, #28]
      str r9, [sp, #24]
      cmp r9, r12
      bne 1b
      add sp, sp, #44
      pop {r7}
      )"
      : "+r"(r0)
      : [taps] "i"(Layer::kTaps), [unroll] "i"(Layer::kUnroll), [pairs] "i"(Layer::In::kPairs),
        [stride] "i"(Layer::In::kStride), [pool] "i"(Layer::kPool), [table] "i"(Layer::kTable ? 1 : 0),
        [unshifted] "i"(Layer::kUnshifted ? 1 : 0)
      : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
#else
template <typename Layer>
void convolve_channel(const ConvolutionRun* run) {
  using In = typename Layer::In;
  int16_t* output = run->output;
  for (const int16_t* input = run->input; output != run->output_end; input += 8) {
    int32_t sums[4];
    for (int32_t position = 0; position < 4; ++position) {
      int32_t sum = run->bias;
      const int16_t* weights = run->weights;
      for (int32_t pair = 0; pair < In::kPairs; ++pair) {
        const int16_t* const values = input + 2 * (pair * In::kStride + position);
        for (int32_t i = 0; i < 2 * Layer::kTaps; ++i) sum += values[i] * *weights++;
      }
      sums[position] = sum;
    }
    for (int32_t first = 0; first < 4; first += Layer::kPool) {
      int32_t sum = sums[first];
      for (int32_t i = first + 1; i < first + Layer::kPool; ++i) sum = sums[i] > sum ? sums[i] : sum;
      // The sign of the sum does for the sign of the product: where they differ the product is 0, which stays 0.
      const int32_t correction = (sum < 0 ? -1 : 0) & run->sign_mask;
      const int32_t value = dsp::ssat8((dsp::smmulr(sum, run->multiplier) + (correction + run->half)) >> run->shift);
      *output = static_cast<int16_t>(Layer::kTable ? run->table[value] : value);
      output += 2;
    }
  }
}
#endif

// Writes the zero point around the positions of `planes`.
template <typename Out>
inline void pad_planes(int16_t* planes) {
  const uint32_t word = dsp::pack(Out::kZeroPoint, Out::kZeroPoint);
  constexpr int32_t kAfter = Out::kPad + Out::kPositions;
  if (Out::kPad == 0 && Out::kStride == kAfter) return;
  for (int32_t pair = 0; pair < Out::kPairs; ++pair, planes += 2 * Out::kStride) {
    for (int32_t i = 0; i < Out::kPad; ++i) dsp::store(planes + 2 * i, word);
    for (int32_t i = kAfter; i < Out::kStride; ++i) dsp::store(planes + 2 * i, word);
  }
}

template <typename Layer>
inline void convolve(const int16_t* weights, const PlanesChannel* channels, const int8_t* table, const int16_t* input,
                     int16_t* output) {
  using Out = typename Layer::Out;
  ConvolutionRun run = {input, weights, 0, 0, 0, 0, nullptr, nullptr, nullptr, Layer::kTable ? table + 128 : nullptr, 0};
  for (int32_t channel = 0; channel < Out::kChannels; ++channel, ++channels) {
    run.weights = weights;
    weights += Layer::kChannelWeights;
    run.weights_end = weights;
    run.bias = channels->bias;
    run.multiplier = channels->multiplier;
    run.half = channels->half;
    run.shift = channels->shift;
    run.sign_mask = channels->shift != 0 ? -1 : 0;
    run.output = output + 2 * (channel / 2 * Out::kStride + Out::kPad) + channel % 2;
    run.output_end = run.output + 2 * (Layer::kBlocks * 4 / Layer::kPool);
    convolve_channel<Layer>(&run);
  }
  pad_planes<Out>(output);  // last, because the last block may have run over the positions
}

// From rows to planes.
template <typename Out>
inline void pack_planes(const int8_t* rows, int16_t* planes) {
  for (int32_t position = 0; position < Out::kPositions; ++position, rows += Out::kChannels) {
    int16_t* words = planes + 2 * (Out::kPad + position);
    for (int32_t channel = 0; channel < Out::kChannels / 2 * 2; channel += 2, words += 2 * Out::kStride) {
      dsp::store(words, dsp::pack(rows[channel], rows[channel + 1]));
    }
    if (Out::kChannels % 2 != 0) dsp::store(words, dsp::pack(rows[Out::kChannels - 1], Out::kZeroPoint));
  }
  pad_planes<Out>(planes);
}

// The value of one position and channel.
template <typename In>
inline int8_t value_in_planes(const int16_t* planes, int32_t position, int32_t channel) {
  return static_cast<int8_t>(planes[2 * (channel / 2 * In::kStride + In::kPad + position) + channel % 2]);
}

// An activation in the arena as planes.
inline int16_t* halves(int8_t* bytes) { return reinterpret_cast<int16_t*>(bytes); }

// What an observer sees of an activation, whatever its layout: its values in the order of rows.
struct RowsView {
  const int8_t* rows;
  uint32_t size;
  uint32_t count() const { return size; }
  int8_t value(uint32_t i) const { return rows[i]; }
};

template <typename Layout>
struct PlanesView {
  const int16_t* planes;
  uint32_t count() const { return Layout::kPositions * Layout::kChannels; }
  int8_t value(uint32_t i) const {
    return value_in_planes<Layout>(planes, static_cast<int32_t>(i) / Layout::kChannels,
                                   static_cast<int32_t>(i) % Layout::kChannels);
  }
};

// From planes to rows.
template <typename In>
inline void unpack_planes(const int16_t* planes, int8_t* rows) {
  for (int32_t position = 0; position < In::kPositions; ++position) {
    for (int32_t channel = 0; channel < In::kChannels; ++channel) {
      *rows++ = value_in_planes<In>(planes, position, channel);
    }
  }
}

// Means of `width` positions, one pool after the other, to rows. Two channels are summed at a time: 255 int8 fit 16 bits.
template <typename In, int32_t width, int32_t low, int32_t high>
inline void average_pool_planes(const int16_t* planes, int8_t* rows) {
  static_assert(width <= 255, "sums of int8 in 16 bits");
  constexpr int32_t kPools = In::kPositions / width;
  constexpr Clamp kClamp = {low, high};
  for (int32_t pair = 0; pair < In::kPairs; ++pair, planes += 2 * In::kStride) {
    const int16_t* words = planes + 2 * In::kPad;
    for (int32_t pool = 0; pool < kPools; ++pool) {
      uint32_t sums = 0;
      for (int32_t i = 0; i < width; ++i, words += 2) sums = dsp::sadd16(sums, dsp::load(words));
      int8_t* const out = rows + pool * In::kChannels + 2 * pair;
      const int32_t first = dsp::low_half(sums), second = dsp::high_half(sums);
      out[0] = clamp_to((first > 0 ? first + width / 2 : first - width / 2) / width, kClamp);
      if (2 * pair + 1 < In::kChannels) {
        out[1] = clamp_to((second > 0 ? second + width / 2 : second - width / 2) / width, kClamp);
      }
    }
  }
}

}  // namespace kernels
}  // namespace hardwear
