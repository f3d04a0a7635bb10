// Runs an engine over windows that are part of the image and writes what it answers and what each step took, for
// `hardwear profile` and for the tests of the kernels on the emulated Cortex-M4.
//
//   ready            u8: 1, or 0 if the engine can't run; then nothing follows
//   windows          u32: how many
//   of each window   with HARDWEAR_DUMP_LAYERS every step's output in rows, int8; then logits and embedding, int8
//   arena            u32: bytes of the engine's buffer in use
//   around           u32: bytes of stack in use where the engine was called
//   of each mode     alone, first of a stream, following:
//     steps          u32: how many the last such inference had, 0 if there was none, then for each
//       instructions u32: executed in the last such inference
//       stack        u32: bytes below where the engine was called, the most of all such windows
//
// All numbers are little-endian.
#include "boards/emulator/instruction_counter.h"
#include "boards/emulator/profile/engine.h"
#include "boards/emulator/stack.h"
#include "boards/emulator/uart.h"

namespace hardwear {
namespace {

struct Window {
  uint32_t offset;  // of its first value among kSamples
  profile::Mode mode;
};

#include "windows.h"

struct Step {
  uint32_t instructions;
  uint32_t stack_bytes;
};

InstructionCounter counter;
Step steps[profile::kModes][profile::kMaxSteps];
uint32_t step_count[profile::kModes];
profile::Mode mode;
uint32_t begun;         // the counter's value where the step began
uint32_t reading;       // what reading the counter and calling hardwear_step_done() add to a step
uint32_t around_bytes;  // of stack in use where the engine is called

template <typename T>
void send(const T& value) {
  uart_write(reinterpret_cast<const uint8_t*>(&value), sizeof value);
}

void infer(const int8_t* window, int8_t* logits, int8_t* embedding) {
  step_count[mode] = 0;
  around_bytes = stack_in_use_bytes();
  repaint_stack();
  begun = counter.now();
  hardwear_infer(mode, window, logits, embedding);
}

}  // namespace

#ifdef HARDWEAR_DUMP_LAYERS
void profile::dump(int8_t value) { send(value); }
#endif

}  // namespace hardwear

extern "C" __attribute__((noinline)) void hardwear_step_done() {
  using namespace hardwear;
  const uint32_t now = counter.now();
  const uint32_t deepest = stack_high_water_bytes();
  if (step_count[mode] < profile::kMaxSteps) {
    Step& step = steps[mode][step_count[mode]++];
    step.instructions = now - begun - reading;
    if (deepest - around_bytes > step.stack_bytes) step.stack_bytes = deepest - around_bytes;
  }
  repaint_stack();
  begun = counter.now();
}

int main() {
  using namespace hardwear;
  counter.begin();
  uart_begin();
  hardwear_step_done();
  hardwear_step_done();
  reading = steps[mode][1].instructions;
  steps[mode][0] = steps[mode][1] = Step{0, 0};
  step_count[mode] = 0;

  const bool ready = profile::begin();
  send(static_cast<uint8_t>(ready));
  if (!ready) return 0;
  send(static_cast<uint32_t>(sizeof kWindows / sizeof kWindows[0]));
  for (const Window& window : kWindows) {
    int8_t logits[kClassCount], embedding[kEmbeddingSize];
    mode = window.mode;
    infer(kSamples + window.offset, logits, embedding);
    send(logits);
    send(embedding);
  }
  send(profile::arena_bytes());
  send(around_bytes);
  for (uint32_t each = 0; each < profile::kModes; ++each) {
    send(step_count[each]);
    for (uint32_t i = 0; i < step_count[each]; ++i) send(steps[each][i]);
  }
}
