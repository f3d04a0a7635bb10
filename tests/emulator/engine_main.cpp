// Runs the compiled engine over windows that are part of the image and writes what it answers, for the tests of its
// kernels on the emulated Cortex-M4: logits and embedding of each window, then, as uint32, bytes of stack and the
// instructions that each step of the last run(), run_first() and run_next() took.
#include "boards/emulator/instruction_counter.h"
#include "boards/emulator/stack.h"
#include "boards/emulator/uart.h"
#include "generated/compiled_model.h"
#include "test_windows.h"

namespace hardwear {
namespace {

InstructionCounter counter;
uint32_t marks[compiled_model::kStepCount];
alignas(16) int8_t arena[compiled_model::kArenaBytes];
alignas(4) int8_t history[compiled_model::kHistoryBytes];

enum Mode { kAlone, kFirst, kNext, kModes };

uint32_t counts[kModes][compiled_model::kStepCount];

struct Clock {
  template <typename View>
  void operator()(int32_t number, View) const {
    marks[number] = counter.now();
  }
};

template <typename T>
void send(const T& value) {
  uart_write(reinterpret_cast<const uint8_t*>(&value), sizeof value);
}

// Functions of their own, as in the firmware: the compiler takes main() for code that runs once, and saves on it.
__attribute__((noinline)) void infer_alone(const int8_t* window, int8_t* logits, int8_t* embedding) {
  compiled_model::run(window, arena, logits, embedding, Clock{});
}

__attribute__((noinline)) void infer_first(const int8_t* window, int8_t* logits, int8_t* embedding) {
  compiled_model::run_first(window, arena, history, logits, embedding, Clock{});
}

__attribute__((noinline)) void infer_next(const int8_t* window, int8_t* logits, int8_t* embedding) {
  compiled_model::run_next(window, arena, history, logits, embedding, Clock{});
}

void (*const kInfer[kModes])(const int8_t*, int8_t*, int8_t*) = {infer_alone, infer_first, infer_next};

}  // namespace
}  // namespace hardwear

int main() {
  using namespace hardwear;
  counter.begin();
  uart_begin();
  const uint32_t before_reading = counter.now();
  const uint32_t reading = counter.now() - before_reading;
  for (const TestWindow& window : kTestWindows) {
    int8_t logits[kClassCount], embedding[kEmbeddingSize];
    const Mode mode = window.follows ? kNext : window.followed ? kFirst : kAlone;
    uint32_t begun = counter.now();
    kInfer[mode](kTestSamples + window.offset, logits, embedding);
    for (int32_t step = 0; step < compiled_model::kStepCount; ++step) {
      counts[mode][step] = marks[step] - begun - reading;
      begun = marks[step];
    }
    send(logits);
    send(embedding);
  }
  send(stack_high_water_bytes());
  send(counts);
}
