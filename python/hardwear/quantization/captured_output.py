"""Catching what C++ libraries write to the process's own stdout and stderr.

TensorFlow and TFLite-Micro write past Python's `sys.stderr`, straight to file descriptor 2. What they say is noise
as long as all goes well, the arena's size in one case, and the only hint in another.
"""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ONE_AT_A_TIME = threading.RLock()
"""Two threads that redirect and restore in turns would leave the process without its stderr."""


class CapturedOutput:
    """What was written while `captured_output` was open; empty until it is closed."""

    text: str = ""

    def tail(self, lines: int = 8) -> str:
        """The last lines that are not blank, for an error message."""
        return "\n".join([line for line in self.text.splitlines() if line.strip()][-lines:])


@contextmanager
def captured_output() -> Iterator[CapturedOutput]:
    """Send file descriptors 1 and 2 of the whole process to memory until the block ends.

    It holds for every thread, so keep the block short and start no thread that talks to the user.

    Yields:
        The capture; its `text` is filled when the block ends, by an exception too.
    """
    capture = CapturedOutput()
    with _ONE_AT_A_TIME, tempfile.TemporaryFile() as sink:
        sys.stdout.flush()
        sys.stderr.flush()
        kept = [(descriptor, os.dup(descriptor)) for descriptor in (1, 2)]
        try:
            for descriptor, _ in kept:
                os.dup2(sink.fileno(), descriptor)
            yield capture
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for descriptor, original in kept:
                os.dup2(original, descriptor)
                os.close(original)
            sink.seek(0)
            capture.text = sink.read().decode("utf-8", errors="replace")
