#include "engines/tflm/tflm_classifier.h"

#include <cstring>

#include "generated/model_data.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace hardwear {

namespace {

constexpr size_t kWindowBytes = size_t{kWindowSamples} * kChannelCount;

alignas(16) uint8_t tensor_arena[kTensorArenaBytes];

// Set by a successful begin().
tflite::MicroInterpreter* ready_interpreter = nullptr;

using Resolver = tflite::MicroMutableOpResolver<kModelOperatorCount>;

bool add_operators(Resolver* resolver) {
#define HARDWEAR_ADD(op) \
  if (resolver->Add##op() != kTfLiteOk) return false;
  HARDWEAR_MODEL_OPERATORS(HARDWEAR_ADD)
#undef HARDWEAR_ADD
  return true;
}

bool is_int8_of(const TfLiteTensor* tensor, size_t bytes) {
  return tensor != nullptr && tensor->type == kTfLiteInt8 && tensor->bytes == bytes;
}

}  // namespace

__attribute__((weak)) const tflite::MicroOpResolver& tflm_operators(const tflite::MicroOpResolver& resolver) {
  return resolver;
}

const char* TflmClassifier::name() const { return "tflm"; }

bool TflmClassifier::begin() {
  if (ready_interpreter != nullptr) return true;
  static Resolver resolver;
  static const bool has_operators = add_operators(&resolver);
  if (!has_operators) return false;
  static tflite::MicroInterpreter interpreter(tflite::GetModel(kModel), tflm_operators(resolver), tensor_arena,
                                              kTensorArenaBytes);
  static const bool has_memory = interpreter.AllocateTensors() == kTfLiteOk;
  if (!has_memory || interpreter.inputs_size() != 1 || interpreter.outputs_size() != 2) return false;
  if (!is_int8_of(interpreter.input(0), kWindowBytes) ||
      !is_int8_of(interpreter.output(kLogitsOutput), kClassCount) ||
      !is_int8_of(interpreter.output(kEmbeddingOutput), kEmbeddingSize)) {
    return false;
  }
  ready_interpreter = &interpreter;
  return true;
}

bool TflmClassifier::classify(const int8_t* window, Inference* out) {
  if (ready_interpreter == nullptr) return false;
  memcpy(ready_interpreter->input(0)->data.int8, window, kWindowBytes);
  if (ready_interpreter->Invoke() != kTfLiteOk) return false;
  memcpy(out->logits, ready_interpreter->output(kLogitsOutput)->data.int8, kClassCount);
  memcpy(out->embedding, ready_interpreter->output(kEmbeddingOutput)->data.int8, kEmbeddingSize);
  return true;
}

uint32_t TflmClassifier::arena_bytes() const {
  return ready_interpreter == nullptr ? 0 : static_cast<uint32_t>(ready_interpreter->arena_used_bytes());
}

}  // namespace hardwear
