// The engine without an interpreter: the network as constants and calls that `hardwear generate` wrote.
#pragma once

#include "core/classifier.h"

namespace hardwear {

// Runs generated/compiled_model.h, to the last bit what TFLite-Micro computes. All memory is static and shared by
// every instance: make one. Not re-entrant; never call it from an interrupt.
class CompiledClassifier : public Classifier {
 public:
  const char* name() const override;

  // Always true: what could fail was checked when the code was generated.
  bool begin() override;

  bool classify(const int8_t* window, Inference* out) override;

  // Bytes of the one static buffer that the activations take turns in.
  uint32_t arena_bytes() const override;
};

}  // namespace hardwear
