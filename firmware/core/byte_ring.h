// The queue between a receive interrupt and the main loop.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace hardwear {

// Ring of bytes with one producer (an interrupt) and one consumer (the main loop), without locks and without
// disabling interrupts. `kCapacity` is a power of two, every one of its bytes is usable.
//
// push() may be called from one interrupt only; everything else from the main loop only.
template <size_t kCapacity>
class ByteRing {
  static_assert(kCapacity >= 2 && (kCapacity & (kCapacity - 1)) == 0, "the capacity must be a power of two");
  static_assert(kCapacity <= (1u << 30), "the indices count modulo 2^32");

 public:
  // Appends one byte. Returns false and counts an overrun when the ring is full; the byte is then lost.
  bool push(uint8_t byte) {
    const uint32_t head = head_.load(std::memory_order_relaxed);
    if (head - tail_.load(std::memory_order_acquire) >= kCapacity) {
      overruns_.store(overruns_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      return false;
    }
    bytes_[head & (kCapacity - 1)] = byte;
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  // Moves up to `max` of the oldest bytes to `out` and returns how many.
  size_t pop(uint8_t* out, size_t max) {
    const uint32_t tail = tail_.load(std::memory_order_relaxed);
    const uint32_t waiting = head_.load(std::memory_order_acquire) - tail;
    const uint32_t count = waiting < max ? waiting : static_cast<uint32_t>(max);
    for (uint32_t i = 0; i < count; ++i) out[i] = bytes_[(tail + i) & (kCapacity - 1)];
    tail_.store(tail + count, std::memory_order_release);
    return count;
  }

  // Bytes that wait to be popped, 0 to kCapacity.
  size_t size() const {
    return head_.load(std::memory_order_acquire) - tail_.load(std::memory_order_relaxed);
  }

  // Bytes lost since start because the ring was full.
  uint32_t overruns() const { return overruns_.load(std::memory_order_relaxed); }

  static constexpr size_t capacity() { return kCapacity; }

 private:
  // Indices run freely modulo 2^32, so that full and empty differ. Only the producer writes head_ and overruns_,
  // only the consumer writes tail_.
  std::atomic<uint32_t> head_{0};
  std::atomic<uint32_t> tail_{0};
  std::atomic<uint32_t> overruns_{0};
  uint8_t bytes_[kCapacity];
};

}  // namespace hardwear
