// A session of a wearable that does as it is told, its frames on standard input and output: a window comes after every
// request. Ends with its input.
#include <unistd.h>

#include "../firmware/fake_live.h"
#include "boards/native/native_board.h"
#include "core/session.h"
#include "engines/compiled/compiled_classifier.h"
#include "generated/known_answer.h"

namespace {

class StandardStreams final : public hardwear::NativeBoard {
 public:
  void send(const uint8_t* bytes, size_t count) override {
    while (count > 0) {
      const ssize_t written = write(STDOUT_FILENO, bytes, count);
      if (written < 0) _exit(1);
      bytes += written;
      count -= static_cast<size_t>(written);
    }
  }
};

StandardStreams board;
hardwear::CompiledClassifier classifier;
hardwear::FakeLive live;
hardwear::Session session(board, classifier, hardwear::kKnownAnswer, &live);

}  // namespace

int main() {
  session.boot();
  uint8_t bytes[4096];
  hardwear::PredictionPacket packet = {hardwear::flag::kUncalibrated, 0, 1, 2, 200, {5, 200, 30, 10, 5, 5}, 0, 90000};
  ssize_t count;
  while ((count = read(STDIN_FILENO, bytes, sizeof bytes)) > 0) {
    session.receive(bytes, static_cast<size_t>(count));
    session.on_prediction(packet);
    if (session.live()) ++packet.sequence;
    packet.time_ms += 1280;
  }
  return count < 0;
}
