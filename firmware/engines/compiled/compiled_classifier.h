// The engine without an interpreter: the network as constants and calls that `hardwear generate` wrote.
#pragma once

#include "core/classifier.h"

namespace hardwear {

// Bytes of stack that classify() takes at most, whatever the network; the generated one is held to it. Its caller has to
// leave them.
constexpr uint32_t kInferenceStackBytes = 512;

// Runs generated/compiled_model.h, to the last bit what TFLite-Micro computes. All memory is static and shared by
// every instance: make one. Not re-entrant; never call it from an interrupt.
class CompiledClassifier : public Classifier {
 public:
  const char* name() const override;

  // Always true: what could fail was checked when the code was generated.
  bool begin() override;

  bool classify(const int8_t* window, Inference* out) override;

  // Computes only what is new, as long as no other stream came in between.
  bool classify_next(uint32_t stream, const int8_t* window, Inference* out) override;

  // Bytes of the static buffers: the one that the activations take turns in, and what is kept for the next window.
  uint32_t arena_bytes() const override;

 private:
  uint32_t kept_ = 0;  // the stream whose last window is kept; 0 for none
};

}  // namespace hardwear
