// TFLite-Micro's interpreter, operator by operator: each operator's function is called through one that marks its end.
#include <cstdarg>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

#include "boards/emulator/profile/engine.h"
#include "engines/tflm/tflm_classifier.h"
#include "tensorflow/lite/micro/micro_op_resolver.h"

namespace hardwear {
namespace {

using RegistrationPointer =
    decltype(std::declval<const tflite::MicroOpResolver&>().FindOp(tflite::BuiltinOperator_CONV_2D));
using Registration = std::remove_const_t<std::remove_pointer_t<RegistrationPointer>>;

constexpr int kMaxOperators = 8;
Registration marked[kMaxOperators];
TfLiteStatus (*originals[kMaxOperators])(TfLiteContext*, TfLiteNode*);

template <int number>
TfLiteStatus invoke(TfLiteContext* context, TfLiteNode* node) {
  const TfLiteStatus status = originals[number](context, node);
  hardwear_step_done();
  return status;
}

constexpr TfLiteStatus (*kInvoke[kMaxOperators])(TfLiteContext*, TfLiteNode*) = {
    invoke<0>, invoke<1>, invoke<2>, invoke<3>, invoke<4>, invoke<5>, invoke<6>, invoke<7>,
};

// Hands out the operators of another resolver, each with its mark.
class MarkingResolver : public tflite::MicroOpResolver {
 public:
  explicit MarkingResolver(const tflite::MicroOpResolver& resolver) : resolver_(resolver) {}

  RegistrationPointer FindOp(tflite::BuiltinOperator op) const override {
    for (int i = 0; i < count_; ++i) {
      if (known_[i] == op) return &marked[i];
    }
    const RegistrationPointer found = resolver_.FindOp(op);
    if (found == nullptr || count_ == kMaxOperators) return nullptr;
    marked[count_] = *found;
    originals[count_] = found->invoke;
    marked[count_].invoke = kInvoke[count_];
    known_[count_] = op;
    return &marked[count_++];
  }
  RegistrationPointer FindOp(const char* op) const override { return resolver_.FindOp(op); }
  tflite::TfLiteBridgeBuiltinParseFunction GetOpDataParser(tflite::BuiltinOperator op) const override {
    return resolver_.GetOpDataParser(op);
  }

 private:
  const tflite::MicroOpResolver& resolver_;
  mutable tflite::BuiltinOperator known_[kMaxOperators] = {};
  mutable int count_ = 0;
};

TflmClassifier classifier;

}  // namespace

const tflite::MicroOpResolver& tflm_operators(const tflite::MicroOpResolver& resolver) {
  static const MarkingResolver marking(resolver);
  return marking;
}

bool profile::begin() { return classifier.begin(); }

uint32_t profile::arena_bytes() { return classifier.arena_bytes(); }

}  // namespace hardwear

extern "C" __attribute__((noinline)) void hardwear_infer(hardwear::profile::Mode, const int8_t* window,
                                                         int8_t* logits, int8_t* embedding) {
  using namespace hardwear;
  Inference answer;
  if (!classifier.classify(window, &answer)) return;
  memcpy(logits, answer.logits, sizeof answer.logits);
  memcpy(embedding, answer.embedding, sizeof answer.embedding);
}

// The library says what it has to say nowhere.
extern "C" {
void DebugLog(const char*) {}
int DebugVsnprintf(char*, size_t, const char*, va_list) { return 0; }
void abort() {
  for (;;) __asm__ volatile("bkpt 0");
}
}
