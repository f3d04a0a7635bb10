// The fast kernels: convolution, pools and mean over activations laid out in planes.
//
// A plane holds two channels of every position, or four, one word each. Of two, channel 2p is the low int16 and 2p + 1
// the high one, so that one SMLAD multiplies and adds both. Of four, each is a byte: half the RAM, but the words have to
// be widened first, bytes 0 and 2, then 1 and 3. Every value is stored 128 higher, so that none is negative and a word of
// two can be calculated with as one number. Before the first position stand `kPad` words of the zero point, the
// overhang of the convolution that reads them; after the last, enough that blocks of four positions may run over. Planes
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

// Where an activation's planes lie; `lanes` channels share a word.
template <int32_t channels, int32_t positions, int32_t pad, int32_t stride, int32_t zero_point, int32_t lanes>
struct Planes {
  static constexpr int32_t kChannels = channels;
  static constexpr int32_t kLanes = lanes;
  static constexpr int32_t kPlanes = (channels + lanes - 1) / lanes;
  static constexpr int32_t kPositions = positions;
  static constexpr int32_t kPad = pad;
  static constexpr int32_t kStride = stride;  // words
  static constexpr uint32_t kZero = (zero_point + 128) * (lanes == 2 ? UINT32_C(0x10001) : UINT32_C(0x1010101));
  static_assert(lanes == 2 || lanes == 4, "two int16 or four bytes");

  // Bytes from the first plane to a value.
  static constexpr int32_t offset(int32_t position, int32_t channel) {
    return 4 * (channel / lanes * stride + pad + position) + channel % lanes * (4 / lanes);
  }
  static int32_t value(const int8_t* planes, int32_t position, int32_t channel) {
    return static_cast<uint8_t>(planes[offset(position, channel)]) - 128;  // in either case: the low byte of an int16
  }
};

// What one output channel adds to its sum and how it is rescaled.
struct PlanesChannel {
  int32_t bias;        // doubled; less input zero point * sum of the weights
  int32_t multiplier;  // mantissa
  int32_t half;        // what rounds the right shift, plus the output's zero point as stored, shifted left
  int32_t shift;       // to the right
};

// Which blocks of four positions a convolution computes: the first `left`, and all from number `right` on, which
// is before the last. What lies between stays as it is.
struct Blocks {
  int32_t left;
  int32_t right;
};

constexpr Blocks kAllBlocks = {0, 0};

// What a block of four positions reads and writes. The assembly below knows the order.
struct ConvolutionRun {
  const int8_t* input;  // of the block's first position
  const int16_t* weights;
  int32_t bias;
  int32_t multiplier;
  int32_t half;
  int32_t shift;
  int8_t* output;
  const int8_t* output_end;
  const int16_t* weights_end;
  const uint8_t* table;  // maps the rescaled value
  int32_t sign_mask;     // -1, or 0 where the channel is not shifted: there halves round up
};

// How halves of negative sums are rounded by the right shift. gemmlowp rounds them away from zero; but nothing is
// rounded where a channel is not shifted, and nothing is seen of it where negative sums end at the smallest value.
enum class Halves { kUp, kAwayFromZero, kByChannel };

// A convolution: `in` and `out` are Planes, pooled by `pool` positions; `table` maps the output by a table; `unroll`
// planes are computed between two branches.
template <typename in, typename out, int32_t taps, int32_t pool, bool table, Halves halves, int32_t unroll>
struct Convolution {
  using In = in;
  using Out = out;
  static constexpr int32_t kTaps = taps;
  static constexpr int32_t kPool = pool;
  static constexpr bool kTable = table;
  static constexpr Halves kHalves = halves;
  static constexpr int32_t kUnroll = unroll;
  static constexpr int32_t kBlocks = (out::kPositions * pool + 3) / 4;
  static constexpr int32_t kBlockBytes = 4 * 4 / pool;  // of one output plane
  static constexpr int32_t kChannelWeights = in::kPlanes * in::kLanes * taps;
  // int8 weights in flash, where they are widened at run time: whole groups of four.
  static constexpr int32_t kStoredWeights = (kChannelWeights + 3) / 4 * 4;
  static_assert(taps == 3 || taps == 5, "kernels for three and for five taps");
  static_assert(pool == 1 || pool == 2 || pool == 4, "pools that divide a block");
  static_assert(in::kPlanes % unroll == 0, "whole rounds");
};

template <int32_t lanes>
inline void store_lane(int8_t* lane, uint8_t value) {
  const uint16_t wide = value;
  std::memcpy(lane, &wide, lanes == 2 ? 2 : 1);
}

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
      ldrd r0, r1, [sp]
    1:
      .if %c[unroll] != %c[planes]
        ldrd r0, r1, [sp]
        add r3, r0, #16
        str r3, [sp]
      .endif
      ldr r2, [sp, #8]
      mov r3, r2
      mov r4, r2
      mov r5, r2
    2:
      .rept %c[unroll]
      .irp rotation, 0, 8
      .if (\rotation == 0) || (%c[in_lanes] == 4)
      .set step_, 4 * %c[stride]
      .if (\rotation == 0) && (%c[in_lanes] == 4)
        .set step_, 0
      .endif
      .if %c[taps] == 5
        ldmia r1!, {r6-r10}
        ldmia r0!, {r11, r12, lr}
        .if %c[in_lanes] == 4
          uxtb16 r11, r11, ror #\rotation
          uxtb16 r12, r12, ror #\rotation
          uxtb16 lr, lr, ror #\rotation
        .endif
        smlad r2, r11, r6, r2
        smlad r2, r12, r7, r2
        smlad r3, r12, r6, r3
        smlad r2, lr, r8, r2
        smlad r3, lr, r7, r3
        smlad r4, lr, r6, r4
        ldmia r0!, {r11, r12, lr}
        .if %c[in_lanes] == 4
          uxtb16 r11, r11, ror #\rotation
          uxtb16 r12, r12, ror #\rotation
          uxtb16 lr, lr, ror #\rotation
        .endif
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
        ldrd r11, r12, [r0], #(step_ - 24)
        .if %c[in_lanes] == 4
          uxtb16 r11, r11, ror #\rotation
          uxtb16 r12, r12, ror #\rotation
        .endif
        smlad r4, r11, r10, r4
        smlad r5, r11, r9, r5
        smlad r5, r12, r10, r5
      .else
        ldmia r1!, {r6-r8}
        ldmia r0!, {r9-r12}
        .if %c[in_lanes] == 4
          uxtb16 r9, r9, ror #\rotation
          uxtb16 r10, r10, ror #\rotation
          uxtb16 r11, r11, ror #\rotation
          uxtb16 r12, r12, ror #\rotation
        .endif
        smlad r2, r9, r6, r2
        smlad r2, r10, r7, r2
        smlad r3, r10, r6, r3
        smlad r2, r11, r8, r2
        smlad r3, r11, r7, r3
        smlad r4, r11, r6, r4
        smlad r3, r12, r8, r3
        smlad r4, r12, r7, r4
        smlad r5, r12, r6, r5
        ldrd r9, r10, [r0], #(step_ - 16)
        .if %c[in_lanes] == 4
          uxtb16 r9, r9, ror #\rotation
          uxtb16 r10, r10, ror #\rotation
        .endif
        smlad r4, r9, r8, r4
        smlad r5, r9, r7, r5
        smlad r5, r10, r8, r5
      .endif
      .endif
      .endr
      .endr
      .if %c[unroll] != %c[planes]
        ldr r12, [sp, #32]
        cmp r1, r12
        bne 2b
      .else
        .set back_, 4 * %c[planes] * %c[stride] - 16
        .if back_ >= 4096
          sub r0, r0, #(back_ & ~4095)
        .endif
        subw r0, r0, #(back_ & 4095)
        subw r1, r1, #(2 * %c[in_lanes] * %c[planes] * %c[taps])
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
      .if %c[halves] == 2
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
          .if %c[halves] == 0
            smmlar \sum, \sum, r6, r7
          .else
            .if %c[halves] == 1
              add r12, r7, \sum, asr #31
            .else
              and r12, r11, \sum, asr #31
              add r12, r12, r7
            .endif
            smmlar \sum, \sum, r6, r12
          .endif
          asr \sum, \sum, r8
          usat \sum, #8, \sum
          .if %c[table]
            ldrb \sum, [r10, \sum]
          .endif
          .if %c[out_lanes] == 4
            strb \sum, [r9], #4
          .else
            strh \sum, [r9], #4
          .endif
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
      : [taps] "i"(Layer::kTaps), [unroll] "i"(Layer::kUnroll), [planes] "i"(Layer::In::kPlanes),
        [stride] "i"(Layer::In::kStride), [in_lanes] "i"(Layer::In::kLanes), [out_lanes] "i"(Layer::Out::kLanes),
        [pool] "i"(Layer::kPool), [table] "i"(Layer::kTable ? 1 : 0), [halves] "i"(static_cast<int>(Layer::kHalves))
      : "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}
#else
template <typename Layer>
void convolve_channel(const ConvolutionRun* run) {
  using In = typename Layer::In;
  int8_t* output = run->output;
  for (const int8_t* input = run->input; output != run->output_end; input += 16) {
    int32_t sums[4];
    for (int32_t position = 0; position < 4; ++position) {
      int32_t sum = run->bias;
      const int16_t* weights = run->weights;
      for (int32_t plane = 0; plane < In::kPlanes; ++plane) {
        for (int32_t pair = 0; pair < In::kLanes / 2; ++pair) {
          for (int32_t tap = 0; tap < Layer::kTaps; ++tap) {
            const int8_t* const word = input + 4 * (plane * In::kStride + position + tap);
            sum += static_cast<uint8_t>(word[pair]) * *weights++;  // as in value(): the low byte is the value
            sum += static_cast<uint8_t>(word[pair + 2]) * *weights++;
          }
        }
      }
      sums[position] = sum;
    }
    for (int32_t first = 0; first < 4; first += Layer::kPool) {
      int32_t sum = sums[first];
      for (int32_t i = first + 1; i < first + Layer::kPool; ++i) sum = sums[i] > sum ? sums[i] : sum;
      // The sign of the sum does for the sign of the product: where they differ the product is 0, which stays 0.
      const int32_t correction = (sum < 0 ? -1 : 0) & run->sign_mask;
      const uint8_t value = dsp::usat8((dsp::smmulr(sum, run->multiplier) + (correction + run->half)) >> run->shift);
      store_lane<Layer::Out::kLanes>(output, Layer::kTable ? run->table[value] : value);
      output += 4;
    }
  }
}
#endif

// Writes the zero point around the positions of `planes`.
template <typename Out>
inline void pad_planes(int8_t* planes) {
  constexpr int32_t kAfter = Out::kPad + Out::kPositions;
  if (Out::kPad == 0 && Out::kStride == kAfter) return;
  for (int32_t plane = 0; plane < Out::kPlanes; ++plane, planes += 4 * Out::kStride) {
    for (int32_t i = 0; i < Out::kPad; ++i) dsp::store(planes + 4 * i, Out::kZero);
    for (int32_t i = kAfter; i < Out::kStride; ++i) dsp::store(planes + 4 * i, Out::kZero);
  }
}

// Int8 weights of one output channel, in groups of two words of two, to words of doubled int16.
template <typename Layer>
inline void widen_weights(const int8_t* bytes, int16_t* words) {
  for (const int8_t* const end = bytes + Layer::kStoredWeights; bytes != end; bytes += 4, words += 4) {
    const uint32_t four = dsp::load(bytes);
    const uint32_t first = dsp::sxtb16(four), second = dsp::sxtb16_odd(four);
    dsp::store(words, dsp::sadd16(first, first));
    dsp::store(words + 2, dsp::sadd16(second, second));
  }
}

// `next()` gives the doubled int16 weights of each output channel in turn.
template <typename Layer, typename NextWeights>
inline void convolve_all(NextWeights next, const PlanesChannel* channels, const uint8_t* table, const int8_t* input,
                         int8_t* output, Blocks blocks) {
  using Out = typename Layer::Out;
  ConvolutionRun run = {input, nullptr, 0, 0, 0, 0, nullptr, nullptr, nullptr, table, 0};
  for (int32_t channel = 0; channel < Out::kChannels; ++channel, ++channels) {
    run.weights = next();
    run.weights_end = run.weights + Layer::kChannelWeights;
    run.bias = channels->bias;
    run.multiplier = channels->multiplier;
    run.half = channels->half;
    run.shift = channels->shift;
    run.sign_mask = Layer::kHalves == Halves::kAwayFromZero || (Layer::kHalves == Halves::kByChannel && channels->shift != 0) ? -1 : 0;
    int8_t* const first = output + Out::offset(0, channel);
    if (blocks.left != 0) {
      run.input = input;
      run.output = first;
      run.output_end = first + blocks.left * Layer::kBlockBytes;
      convolve_channel<Layer>(&run);
    }
    run.input = input + 16 * blocks.right;
    run.output = first + blocks.right * Layer::kBlockBytes;
    run.output_end = first + Layer::kBlocks * Layer::kBlockBytes;
    convolve_channel<Layer>(&run);
  }
  pad_planes<Out>(output);  // last, because the last block may have run over the positions
}

// With weights that are int16 in flash.
template <typename Layer>
__attribute__((noinline)) void convolve(const int16_t* weights, const PlanesChannel* channels, const uint8_t* table,
                                        const int8_t* input, int8_t* output, Blocks blocks = kAllBlocks) {
  const auto next = [&weights] {
    const int16_t* const ready = weights;
    weights += Layer::kChannelWeights;
    return ready;
  };
  convolve_all<Layer>(next, channels, table, input, output, blocks);
}

// With weights that are int8 in flash, widened into `scratch` one output channel after the other.
template <typename Layer>
__attribute__((noinline)) void convolve_widening(const int8_t* weights, const PlanesChannel* channels,
                                                 const uint8_t* table, int8_t* scratch, const int8_t* input,
                                                 int8_t* output, Blocks blocks = kAllBlocks) {
  int16_t* const ready = reinterpret_cast<int16_t*>(scratch);
  const auto next = [&weights, ready]() -> const int16_t* {
    widen_weights<Layer>(weights, ready);
    weights += Layer::kStoredWeights;
    return ready;
  };
  convolve_all<Layer>(next, channels, table, input, output, blocks);
}

// What a window is to those before it.
enum class Stream : uint8_t {
  kNone,   // none of them matters
  kFirst,  // the next one overlaps it
  kNext,   // it overlaps the one before, and the next one it
};

// The blocks that a convolution computes: `left` and `right` where the columns between them are taken over.
inline Blocks new_blocks(Stream stream, Blocks blocks) { return stream == Stream::kNext ? blocks : kAllBlocks; }

// Columns that a window shares with the one `hop` positions before it: `columns` from `first` on.
template <typename planes, int32_t first, int32_t columns, int32_t hop>
struct Overlap {
  using Layout = planes;
  static constexpr int32_t kFirst = first;
  static constexpr int32_t kColumns = columns;
  static constexpr int32_t kHop = hop;
  static_assert(first + columns <= hop && hop + first + columns <= planes::kPositions, "shared by both windows");
};

// Copies words, eight at a time.
template <int32_t count>
inline void copy_words(int8_t* to, const int8_t* from) {
#if HARDWEAR_DSP
  __asm__ volatile(
      R"(
      .rept %c[count] / 8
        ldm %[from]!, {r3, r4, r5, r6, r8, r9, r10, r12}
        stm %[to]!, {r3, r4, r5, r6, r8, r9, r10, r12}
      .endr
      .if %c[count] & 4
        ldm %[from]!, {r3, r4, r5, r6}
        stm %[to]!, {r3, r4, r5, r6}
      .endif
      .if %c[count] & 2
        ldm %[from]!, {r3, r4}
        stm %[to]!, {r3, r4}
      .endif
      .if %c[count] & 1
        ldr r3, [%[from]]
        str r3, [%[to]]
      .endif
      )"
      : [to] "+r"(to), [from] "+r"(from)
      : [count] "i"(count)
      : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "memory");
#else
  std::memcpy(to, from, 4 * count);
#endif
}

// Gives `planes` the columns of the last window that `history` has, and keeps there those that the next one takes over.
template <typename Shared>
__attribute__((noinline)) void share_columns(Stream stream, int8_t* planes, int8_t* history) {
  using Layout = typename Shared::Layout;
  if (stream == Stream::kNone) return;
  int8_t* columns = planes + Layout::offset(Shared::kFirst, 0);
  for (int32_t plane = 0; plane < Layout::kPlanes; ++plane) {
    if (stream == Stream::kNext) copy_words<Shared::kColumns>(columns, history);
    copy_words<Shared::kColumns>(history, columns + 4 * Shared::kHop);
    columns += 4 * Layout::kStride;
    history += 4 * Shared::kColumns;
  }
}

// The first `lanes` lanes of a plane from rows. Lanes beyond them meet weights of zero.
template <typename Out, int32_t lanes>
inline void pack_plane(const int8_t* values, int8_t* word) {
  constexpr int32_t kLaneBits = 32 / Out::kLanes;
  constexpr uint32_t kSigns = Out::kLanes == 2 ? UINT32_C(0x00800080) : UINT32_C(0x80808080);
  for (int8_t* const end = word + 4 * Out::kPositions; word != end; word += 4, values += Out::kChannels) {
    if (lanes == 2 && Out::kLanes == 2) {
      uint16_t both;
      std::memcpy(&both, values, sizeof both);
      dsp::store(word, ((both | static_cast<uint32_t>(both) << 8) & UINT32_C(0x00FF00FF)) ^ kSigns);
      continue;
    }
    const auto lane = [values](int32_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(values[i])) << kLaneBits * i; };
    const uint32_t first = lane(0) | (lanes > 1 ? lane(1) : 0), last = (lanes > 2 ? lane(2) : 0) | (lanes > 3 ? lane(3) : 0);
    dsp::store(word, (first | last) ^ kSigns);
  }
}

// From rows to planes, one plane after the other.
template <typename Out>
inline void pack_planes(const int8_t* rows, int8_t* planes) {
  constexpr int32_t kRest = Out::kChannels % Out::kLanes, kWhole = Out::kChannels - kRest;
  for (int32_t channel = 0; channel < kWhole; channel += Out::kLanes) {
    pack_plane<Out, Out::kLanes>(rows + channel, planes + Out::offset(0, channel));
  }
  if (kRest != 0) pack_plane<Out, kRest>(rows + kWhole, planes + Out::offset(0, kWhole));
  pad_planes<Out>(planes);
}

// What an observer sees of an activation, whatever its layout: its values in the order of rows.
struct RowsView {
  const int8_t* rows;
  uint32_t size;
  uint32_t count() const { return size; }
  int8_t value(uint32_t i) const { return rows[i]; }
};

template <typename Layout>
struct PlanesView {
  const int8_t* planes;
  uint32_t count() const { return Layout::kPositions * Layout::kChannels; }
  int8_t value(uint32_t i) const {
    const int32_t index = static_cast<int32_t>(i);
    return static_cast<int8_t>(Layout::value(planes, index / Layout::kChannels, index % Layout::kChannels));
  }
};

// From planes to rows.
template <typename In>
inline void unpack_planes(const int8_t* planes, int8_t* rows) {
  for (int32_t position = 0; position < In::kPositions; ++position) {
    for (int32_t channel = 0; channel < In::kChannels; ++channel) {
      *rows++ = static_cast<int8_t>(In::value(planes, position, channel));
    }
  }
}

// `sum` of `width` stored bytes.
template <int32_t width, int32_t low, int32_t high>
inline int8_t mean_of(uint32_t sum) {
  const int32_t value = static_cast<int32_t>(sum) - 128 * width;
  const int32_t mean = (value > 0 ? value + width / 2 : value - width / 2) / width;
  constexpr Clamp kClamp = {low, high};
  return low == INT8_MIN && high == INT8_MAX ? static_cast<int8_t>(mean) : clamp_to(mean, kClamp);
}

// Means of `width` positions, one pool after the other, to rows. Two channels are summed at a time: no sum of 255 bytes
// leaves its 16 bits.
template <typename In, int32_t width, int32_t low, int32_t high>
inline void average_pool_planes(const int8_t* planes, int8_t* rows) {
  static_assert(width <= 255, "sums of bytes in 16 bits");
  constexpr int32_t kPools = In::kPositions / width;
  constexpr int32_t kStep = In::kLanes / 2;  // from the channel of a word's low half to that of its high half
  for (int32_t channel = 0; channel < In::kChannels; channel += In::kLanes) {
    for (int32_t part = 0; part < kStep && channel + part < In::kChannels; ++part) {
      const int8_t* word = planes + In::offset(0, channel);
      const auto lanes = [&word, part] {
        const uint32_t bytes = dsp::load(word);
        word += 4;
        return In::kLanes == 2 ? bytes : bytes >> (8 * part) & UINT32_C(0x00FF00FF);
      };
      for (int32_t pool = 0; pool < kPools; ++pool) {
        uint32_t sums = 0;
        for (int32_t i = 0; i < width / 4; ++i) sums += lanes(), sums += lanes(), sums += lanes(), sums += lanes();
        for (int32_t i = 0; i < width % 4; ++i) sums += lanes();
        int8_t* const out = rows + pool * In::kChannels + channel + part;
        out[0] = mean_of<width, low, high>(sums & 0xFFFF);
        if (channel + part + kStep < In::kChannels) out[kStep] = mean_of<width, low, high>(sums >> 16);
      }
    }
  }
}

}  // namespace kernels
}  // namespace hardwear
