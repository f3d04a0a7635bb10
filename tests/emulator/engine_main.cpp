// Runs the compiled engine over windows that are part of the image and writes what it answers, for the tests of its
// kernels on the emulated Cortex-M4: logits and embedding of each window, then, as uint32, bytes of stack and the
// instructions that each step of the last inference took.
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

// A function of its own, as in the firmware: the compiler takes main() for code that runs once, and saves on it.
__attribute__((noinline)) void infer(const int8_t* window, int8_t* logits, int8_t* embedding) {
  compiled_model::run(window, arena, logits, embedding, Clock{});
}

}  // namespace
}  // namespace hardwear

int main() {
  using namespace hardwear;
  counter.begin();
  uart_begin();
  const uint32_t before_reading = counter.now();
  const uint32_t reading = counter.now() - before_reading;
  uint32_t begun = 0;
  for (const auto& window : kTestWindows) {
    int8_t logits[kClassCount], embedding[kEmbeddingSize];
    begun = counter.now();
    infer(window, logits, embedding);
    send(logits);
    send(embedding);
  }
  send(stack_high_water_bytes());
  for (const uint32_t mark : marks) {
    send(mark - begun - reading);
    begun = mark;
  }
}
