// Words of two int16 and the instructions of the Cortex-M4 that work on them, as inline assembly: not every compiler's
// arm_acle.h has them (GCC 7's lacks __smlad). Elsewhere the same in C++, to the same bits.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
#define HARDWEAR_DSP 1
#else
#define HARDWEAR_DSP 0
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the compiled engine's words of two int16 are little-endian; use the engine tflm on this machine"
#endif

namespace hardwear {
namespace dsp {

inline uint32_t load(const void* bytes) {
  uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

inline void store(void* bytes, uint32_t word) { std::memcpy(bytes, &word, sizeof word); }

inline int32_t low_half(uint32_t word) { return static_cast<int16_t>(word & 0xFFFF); }
inline int32_t high_half(uint32_t word) { return static_cast<int16_t>(word >> 16); }

inline uint32_t pack(int32_t low, int32_t high) {
  return (static_cast<uint32_t>(low) & 0xFFFF) | (static_cast<uint32_t>(high) << 16);
}

// Bytes 0 and 2, sign-extended.
inline uint32_t sxtb16(uint32_t bytes) {
#if HARDWEAR_DSP
  uint32_t result;
  __asm__("sxtb16 %0, %1" : "=r"(result) : "r"(bytes));
  return result;
#else
  return pack(static_cast<int8_t>(bytes & 0xFF), static_cast<int8_t>(bytes >> 16 & 0xFF));
#endif
}

// Bytes 1 and 3, sign-extended.
inline uint32_t sxtb16_odd(uint32_t bytes) {
#if HARDWEAR_DSP
  uint32_t result;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(bytes));
  return result;
#else
  return sxtb16(bytes >> 8);
#endif
}

// Both halves added, each by itself.
inline uint32_t sadd16(uint32_t a, uint32_t b) {
#if HARDWEAR_DSP
  uint32_t result;
  __asm__("sadd16 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
  return result;
#else
  return pack(low_half(a) + low_half(b), high_half(a) + high_half(b));
#endif
}

// (a * b + 2^31) >> 32: the doubling high multiplication, where a is twice the value meant.
inline int32_t smmulr(int32_t a, int32_t b) {
#if HARDWEAR_DSP
  int32_t result;
  __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
  return result;
#else
  return static_cast<int32_t>((static_cast<int64_t>(a) * b + (INT64_C(1) << 31)) >> 32);
#endif
}

// a * b >> 32
inline int32_t smmul(int32_t a, int32_t b) { return static_cast<int32_t>(static_cast<int64_t>(a) * b >> 32); }

// The nearest byte.
inline uint8_t usat8(int32_t value) {
#if HARDWEAR_DSP
  uint32_t result;
  __asm__("usat %0, #8, %1" : "=r"(result) : "r"(value));
  return static_cast<uint8_t>(result);
#else
  return static_cast<uint8_t>(value < 0 ? 0 : value > UINT8_MAX ? UINT8_MAX : value);
#endif
}

}  // namespace dsp
}  // namespace hardwear
