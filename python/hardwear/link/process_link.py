"""The firmware built for this computer, run as a process, as a stream of bytes."""

import contextlib
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hardwear.errors import LinkError

WRITE_TIMEOUT_S = 10.0
EXIT_TIMEOUT_S = 5.0


class ProcessLink:
    """A `ByteStream` over a program's standard input and output.

    Args:
        command: The program and its arguments.
        environment: Variables to set on top of this process's.

    Raises:
        LinkError: The program can't be started.
    """

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        self._name = str(command[0])
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the link
        try:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=0,
                env={**os.environ, **(environment or {})},
            )
        except OSError as error:
            self._errors.close()
            raise LinkError(f"can't start {self._name}: {error}. Next step: build it with pio run -e native") from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input = self._process.stdin
        self._output = self._process.stdout
        os.set_blocking(self._input.fileno(), False)

    @property
    def name(self) -> str:
        """The program."""
        return self._name

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """Wait for bytes and return what is there; nothing only if none came in `timeout_s`.

        Raises:
            LinkError: The program has ended.
        """
        if self._output.closed:
            raise self._ended()
        ready, _, _ = select.select([self._output], [], [], timeout_s)
        if not ready:
            return b""
        data = os.read(self._output.fileno(), max_bytes)
        if not data:
            raise self._ended()
        return data

    def write(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            LinkError: The program has ended or took nothing for ten seconds.
        """
        if self._input.closed:
            raise self._ended()
        view = memoryview(data)
        deadline = time.monotonic() + WRITE_TIMEOUT_S
        while view:
            _, ready, _ = select.select([], [self._input], [], max(deadline - time.monotonic(), 0))
            if not ready:
                raise LinkError(f"{self._name} took no data for {WRITE_TIMEOUT_S:g} s. Next step: start it again")
            try:
                view = view[os.write(self._input.fileno(), view) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._ended() from error

    def close(self) -> None:
        """End the program's input, which ends the program; kill it if it goes on."""
        with contextlib.suppress(OSError):
            self._input.close()
        try:
            self._process.wait(EXIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()
        self._errors.close()

    @property
    def exit_code(self) -> int | None:
        """What the program returned, None while it runs."""
        return self._process.poll()

    def _ended(self) -> LinkError:
        try:
            code: int | None = self._process.wait(EXIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            code = None
        said = ""
        if not self._errors.closed:
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace").strip()[-2000:]
        return LinkError(
            f"{self._name} has ended (exit code {code}){': ' + said if said else ''}. Next step: start it again"
        )
