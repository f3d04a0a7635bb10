// What an engine is to the profiler: see main.cpp beside it.
#pragma once

#include <cstdint>

#include "generated/contract.h"

namespace hardwear {
namespace profile {

// Steps that are told apart, at most.
constexpr uint32_t kMaxSteps = 64;

// A window by itself, the first of a stream, or one that follows another half a window later.
enum Mode : uint8_t { kAlone, kFirst, kFollowing };
constexpr uint32_t kModes = 3;

// Prepares the engine once; false if it can't run.
bool begin();

// Bytes of the engine's buffer of activations in use.
uint32_t arena_bytes();

}  // namespace profile
}  // namespace hardwear

// These two have plain names, by which the trace of executed instructions tells the steps apart.
extern "C" {

// One inference. `window`: kWindowSamples x kChannelCount int8; calls hardwear_step_done() after every step. Streams are
// for images built with HARDWEAR_STREAMS.
void hardwear_infer(hardwear::profile::Mode mode, const int8_t* window, int8_t* logits, int8_t* embedding);

// Ends a step, whatever has run since the one before; what it takes itself is part of none.
void hardwear_step_done();
}

#ifdef HARDWEAR_DUMP_LAYERS
namespace hardwear {
namespace profile {

// Writes one value of an activation to the serial line.
void dump(int8_t value);

}  // namespace profile
}  // namespace hardwear
#endif
