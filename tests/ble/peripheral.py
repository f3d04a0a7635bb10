"""A worn board as a process, `firmware/boards/native/peripheral.cpp`: what sensor, radio and cable bring, and take."""

import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from native import ADDRESS_AND_UNDEFINED, FIRMWARE, GENERATED, build_once, cached, core_sources

PROPERTIES = {"read": 0x02, "write": 0x08, "notify": 0x10}
_SAMPLES_A_COMMAND = 600
_HEADER = struct.Struct("<BBH")


def program() -> str:
    """The program, built once for the sources as they are."""
    out = cached("peripheral", GENERATED) / "peripheral"
    main = FIRMWARE / "boards" / "native" / "peripheral.cpp"
    return str(build_once([*core_sources(), main], out, ["-O1", *ADDRESS_AND_UNDEFINED]))


@dataclass
class Characteristic:
    """A characteristic as the firmware's table has it, and what a central reads of it."""

    uuid: str
    properties: list[str]
    description: str
    value: bytes = b""


class Peripheral:
    """A worn board. Every call returns when the firmware has done what it asks for. From one thread at a time.

    Args:
        notify: Told of every notification: the characteristic's number and the bytes.
        cable: Told of every byte for the host on the cable.
    """

    def __init__(
        self,
        notify: Callable[[int, bytes], None] = lambda number, value: None,
        cable: Callable[[bytes], None] = lambda data: None,
    ) -> None:
        self._process = subprocess.Popen([program()], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._notify = notify
        self._cable = cable
        self.service = ""
        self.characteristics: list[Characteristic] = []
        self._finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it; a sanitizer's complaint fails the test."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        code = self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        assert code == 0

    def move(self, samples: npt.ArrayLike) -> None:
        """The wearer moves: (n, 6) counts at 50 Hz. Time passes by that alone; a window takes 64 of them."""
        twice = np.repeat(np.rint(samples).astype("<i2"), 2, axis=0)  # the sensor's rate
        for start in range(0, len(twice), _SAMPLES_A_COMMAND):
            self._command("M", twice[start : start + _SAMPLES_A_COMMAND].tobytes())

    def link(self, bonded: bool = False, mtu: int = 247) -> None:
        """A central has come or gone; nothing is subscribed to."""
        self._command("L", struct.pack("<BH", bonded, mtu))

    def subscribe(self, characteristic: int, on: bool) -> None:
        """The central wants notifications, or no longer."""
        self._command("S", bytes([characteristic, on]))

    def write(self, characteristic: int, data: bytes) -> None:
        """The central writes. As on the real stack the value is first what was written."""
        self.characteristics[characteristic].value = data
        self._command("W", bytes([characteristic]) + data)

    def host_says(self, data: bytes) -> None:
        """Bytes come from the host on the cable."""
        self._command("H", data)

    def knock(self) -> None:
        """The wearer knocks twice."""
        self._command("K", b"")

    def _command(self, command: str, payload: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(struct.pack("<BH", ord(command), len(payload)) + payload)
        self._process.stdin.flush()
        self._finish()

    def _finish(self) -> None:
        """Take what the firmware says until it is done with the command."""
        while True:
            kind, number, size = _HEADER.unpack(self._read(_HEADER.size))
            payload = self._read(size)
            match chr(kind):
                case "G":
                    self.service = payload.decode("ascii")
                case "R":
                    uuid, description = payload[1:].decode("ascii").split("\0")
                    names = [name for name, bit in PROPERTIES.items() if payload[0] & bit]
                    self.characteristics.append(Characteristic(uuid, names, description))
                case "V":
                    self.characteristics[number].value = payload
                case "N":
                    self._notify(number, payload)
                case "H":
                    self._cable(payload)
                case "D":
                    return

    def _read(self, size: int) -> bytes:
        assert self._process.stdout is not None
        data = self._process.stdout.read(size)
        assert len(data) == size, f"the peripheral ended with code {self._process.wait()}"
        return data
