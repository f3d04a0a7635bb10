// The engine on TFLite-Micro's interpreter, for boards whose toolchain brings that library.
#pragma once

#include "core/classifier.h"

namespace tflite {
class MicroOpResolver;
}

namespace hardwear {

// The operators that the interpreter gets: those of `resolver`, which holds exactly the model's. An image that defines
// this function itself may wrap them, as the profiler's does.
const tflite::MicroOpResolver& tflm_operators(const tflite::MicroOpResolver& resolver);

// Runs the flatbuffer of generated/model_data.h with exactly the operators it needs, in a static arena of the
// generated size. Works with today's TFLite-Micro and with the Arduino library Chirale_TensorFLowLite 2.0.0 (2024).
// All memory is static and shared by every instance: make one. Not re-entrant; never call it from an interrupt.
class TflmClassifier : public Classifier {
 public:
  const char* name() const override;

  // Returns false if an operator is missing, the arena is too small, or the tensors are not of the expected shape;
  // TFLite-Micro logs which, through its DebugLog.
  bool begin() override;

  // Returns false before a successful begin(), or if the interpreter fails.
  bool classify(const int8_t* window, Inference* out) override;

  // Bytes of the arena in use; 0 before begin().
  uint32_t arena_bytes() const override;
};

}  // namespace hardwear
