// What every engine is to the rest of the firmware: a window of int8 in, six int8 logits and the embedding out.
#pragma once

#include <cstdint>

#include "generated/contract.h"

namespace hardwear {

// The answer of one inference, exactly the two int8 output tensors of the model.
struct Inference {
  int8_t logits[kClassCount];
  int8_t embedding[kEmbeddingSize];
};

// An int8 model behind one interface. Not re-entrant; never call it from an interrupt.
class Classifier {
 public:
  // Short name of the engine, at most 15 characters, static storage ("compiled", "tflm").
  virtual const char* name() const = 0;

  // Prepares the engine once at start. Returns false if it can't run (for example: arena too small).
  virtual bool begin() = 0;

  // Runs the model on `window`: kWindowSamples x kChannelCount int8, sample-major, already quantised.
  // The caller owns both buffers. Returns false if the engine failed; `*out` is then unspecified.
  virtual bool classify(const int8_t* window, Inference* out) = 0;

  // Returns the number of a new stream, never 0: of windows that each begin kHopSamples after the one before.
  uint32_t begin_stream() { return ++streams_; }

  // Answers as classify(), to the bit, for the next window of a stream: where one was left out, begin another stream.
  // An engine may compute only what the last window did not have. Streams, and classify(), may take turns.
  virtual bool classify_next(uint32_t stream, const int8_t* window, Inference* out) {
    static_cast<void>(stream);
    return classify(window, out);
  }

  // Bytes of working memory for activations (TFLite-Micro: arena in use), fixed after begin().
  virtual uint32_t arena_bytes() const = 0;

 protected:
  ~Classifier() = default;

 private:
  uint32_t streams_ = 0;
};

}  // namespace hardwear
