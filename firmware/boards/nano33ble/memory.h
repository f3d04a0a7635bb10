// What is left of the heap, which nothing of ours uses but the BLE stack and Mbed OS do.
#pragma once

#include <cstdint>

namespace hardwear {

// Below this the BLE stack may fail to serve a connection.
constexpr uint32_t kLowMemoryBytes = 8 * 1024;

// Bytes of heap that can still be had: never taken ones and freed ones. Takes some microseconds; not from an interrupt.
uint32_t free_heap_bytes();

}  // namespace hardwear
