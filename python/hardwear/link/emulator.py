"""The emulated board: firmware in QEMU, its serial line a stream of bytes (`docs/emulator.md`)."""

import itertools
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from hardwear.errors import LinkError
from hardwear.link import launcher

QEMU = "qemu-system-arm"
INSTALL_QEMU = "apt-get install qemu-system-arm"
WRITE_TIMEOUT_S = 10.0
EXIT_TIMEOUT_S = 5.0
_READ_AHEAD_BYTES = 65536
_SEND_BUFFER_BYTES = 16384  # the default takes the firmware seconds to read, which looks like standstill

# Consecutive emulators start on consecutive processors; the offset keeps two programs off the same one.
_starts = itertools.count(os.getpid())


class ExitCode(IntEnum):
    """How a firmware ended QEMU, as in `firmware/boards/emulator/semihosting.h`."""

    MAIN_RETURNED = 90
    HEAP_USED = 91
    PURE_VIRTUAL = 92
    UNEXPECTED_INTERRUPT = 93
    FAULT = 94


def boot_command(elf: Path, serial: Sequence[str], *, pin: bool = True) -> list[str]:
    """The command that boots an image on the emulated board, in a QEMU that ends with this process.

    Args:
        elf: The image.
        serial: QEMU's options for the first serial line.
        pin: Whether to keep QEMU on one processor; the next one takes the next processor.

    Raises:
        LinkError: QEMU or the image is missing.
    """
    if shutil.which(QEMU) is None:
        raise LinkError(f"the emulated board needs {QEMU}, which is not installed. Next step: {INSTALL_QEMU}")
    if not elf.is_file():
        raise LinkError(f"expected a firmware image at {elf}, there is none. Next step: hardwear build --env emulator")
    return [
        *(sys.executable, "-I", "-S", launcher.__file__, str(os.getpid()), _processor() if pin else "any"),
        QEMU,
        *("-machine", "mps2-an386"),
        *("-display", "none", "-monitor", "none"),
        # The firmware's way out: faults end QEMU with a code.
        *("-semihosting-config", "enable=on,target=native"),
        # 256 ns of virtual time for each instruction, none of it waited for: the timer counts instructions.
        *("-icount", "shift=8,sleep=off"),
        *("-kernel", str(elf)),
        *serial,
    ]


class EmulatorLink:
    """A `ByteStream` to firmware that runs in QEMU. Use it as a context manager.

    The serial line is a socket pair, so that there is no port to collide on or to connect to from elsewhere. QEMU runs
    on one processor: each byte makes its two threads take turns, which is up to three times as fast if they needn't
    wake each other across processors. QEMU ends with this process; on Linux it ends with the thread that started it.

    Args:
        elf: The image that `hardwear build --env emulator` made.
        pin: Whether to keep QEMU on one processor; the next emulator takes the next one.

    Raises:
        LinkError: QEMU or the image is missing, or QEMU can't be started.
    """

    def __init__(self, elf: Path, *, pin: bool = True) -> None:
        self._socket, guest = socket.socketpair()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the link
        self._read_ahead = bytearray()
        try:
            line = ("-chardev", f"socket,id=uart,fd={guest.fileno()}", "-serial", "chardev:uart")
            self._process = subprocess.Popen(
                boot_command(elf, line, pin=pin),
                pass_fds=[guest.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self._errors,
                stderr=self._errors,
            )
        except (OSError, LinkError) as error:
            self._socket.close()
            self._errors.close()
            if isinstance(error, LinkError):
                raise
            raise LinkError(f"can't start {QEMU}: {error}. Next step: {INSTALL_QEMU}") from error
        finally:
            guest.close()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)

    @property
    def name(self) -> str:
        """What it is connected to."""
        return "the emulator"

    @property
    def exit_code(self) -> int | None:
        """What QEMU returned, None while it runs."""
        return self._process.poll()

    @property
    def process_id(self) -> int:
        """QEMU's."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """Wait for bytes and return what is there; nothing only if none came in `timeout_s`.

        Raises:
            LinkError: QEMU has ended.
        """
        if not self._read_ahead:
            self._check_open()
            ready, _, _ = select.select([self._socket], [], [], max(timeout_s, 0))
            if not ready:
                return b""
            self._receive()
        data = bytes(self._read_ahead[:max_bytes])
        del self._read_ahead[:max_bytes]
        return data

    def write(self, data: bytes) -> None:
        """Send all of `data`, of any size; what the firmware answers meanwhile is kept for `read`.

        Raises:
            LinkError: QEMU has ended or took nothing for ten seconds.
        """
        self._check_open()
        view = memoryview(data)
        deadline = time.monotonic() + WRITE_TIMEOUT_S
        while view:
            left = max(deadline - time.monotonic(), 0)
            readable, writable, _ = select.select([self._socket], [self._socket], [], left)
            if not readable and not writable:
                raise LinkError(
                    f"{self.name} took no data for {WRITE_TIMEOUT_S:g} s. Next step: is the firmware's main loop alive?"
                )
            deadline = time.monotonic() + WRITE_TIMEOUT_S
            if readable:
                self._receive()
            if writable:
                try:
                    view = view[self._socket.send(view) :]
                except OSError as error:
                    raise self._ended() from error

    def close(self) -> None:
        """End QEMU; more than once does no harm."""
        self._socket.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(EXIT_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._errors.close()

    def wait(self, timeout_s: float = EXIT_TIMEOUT_S) -> int:
        """Wait until the firmware ends QEMU and return its exit code.

        Raises:
            LinkError: It goes on.
        """
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise LinkError(f"expected {self.name} to end within {timeout_s:g} s, it goes on") from error

    def _check_open(self) -> None:
        if self._socket.fileno() < 0:
            raise LinkError(f"the link to {self.name} was closed. Next step: open a new one")

    def _receive(self) -> None:
        try:
            data = self._socket.recv(_READ_AHEAD_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            raise self._ended() from error
        if not data:
            raise self._ended()
        self._read_ahead += data

    def _ended(self) -> LinkError:
        try:
            code = self._process.wait(EXIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return LinkError(f"{self.name} has closed its serial line. Next step: start it again")
        if code in set(ExitCode):
            reason = f"the firmware stopped: {ExitCode(code).name.lower().replace('_', ' ')} (exit code {code})"
            return LinkError(f"{self.name}: {reason}. Next step: its last log line says where")
        self._errors.seek(0)
        said = " ".join(self._errors.read().decode(errors="replace").split())[:300]  # then come the registers
        return LinkError(f"{QEMU} has ended (exit code {code}): {said or 'it said nothing'}. Next step: start it again")


def _processor() -> str:
    """The processor for the next emulator."""
    if not hasattr(os, "sched_getaffinity"):
        return "any"
    usable = sorted(os.sched_getaffinity(0))
    return str(usable[next(_starts) % len(usable)])
