// The firmware as a host program: the same session, its frames on standard input and output. Ends with its input.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unistd.h>

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
      if (written < 0) {
        if (errno == EINTR) continue;
        std::fprintf(stderr, "hardwear native: standard output: %s\n", std::strerror(errno));
        _exit(1);  // nobody listens any more
      }
      bytes += written;
      count -= static_cast<size_t>(written);
    }
  }
};

StandardStreams board;
hardwear::CompiledClassifier classifier;
hardwear::Session session(board, classifier, hardwear::kKnownAnswer);

}  // namespace

int main() {
  session.boot();
  uint8_t bytes[4096];
  for (;;) {
    const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    if (count == 0) return 0;
    if (count < 0) {
      if (errno == EINTR) continue;
      std::fprintf(stderr, "hardwear native: standard input: %s\n", std::strerror(errno));
      return 1;
    }
    session.receive(bytes, static_cast<size_t>(count));
  }
}
