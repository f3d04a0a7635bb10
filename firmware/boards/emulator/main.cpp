// The emulated board: a session on the serial line, nothing else.
#include "boards/emulator/instruction_counter.h"
#include "boards/emulator/stack.h"
#include "boards/emulator/uart.h"
#include "core/board.h"
#include "core/session.h"
#include "engines/compiled/compiled_classifier.h"
#include "generated/known_answer.h"

namespace hardwear {
namespace {

class EmulatorBoard final : public Board {
 public:
  explicit EmulatorBoard(InstructionCounter& counter) : counter_(counter) {}

  const char* name() const override { return "emulator"; }
  uint32_t now() override { return counter_.now(); }
  TimeUnit time_unit() const override { return TimeUnit::kInstructions; }
  void send(const uint8_t* bytes, size_t count) override { uart_write(bytes, count); }
  uint16_t receive_capacity() const override { return kUartReceiveCapacity; }
  uint32_t receive_overruns() override { return uart_receive_overruns(); }
  uint32_t stack_high_water_bytes() override { return hardwear::stack_high_water_bytes(); }

 private:
  InstructionCounter& counter_;
};

InstructionCounter counter;
EmulatorBoard board(counter);
CompiledClassifier classifier;
Session session(board, classifier, kKnownAnswer);

}  // namespace
}  // namespace hardwear

int main() {
  using namespace hardwear;
  counter.begin();
  uart_begin();
  session.boot();
  for (;;) {
    uint8_t bytes[128];
    const size_t count = uart_read(bytes, sizeof bytes);
    if (count == 0) {
      uart_wait(&counter);
    } else {
      session.receive(bytes, count);
    }
  }
}
