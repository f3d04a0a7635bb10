"""A transport that damages what goes through it, seeded, for tests of what is promised on a bad line."""

import random
from collections.abc import Callable

from hardwear.link import ByteStream


class FaultyStream:
    """A `ByteStream` around another one. Each piece that is written or read is hurt with probability `rate`.

    Args:
        stream: The sound transport.
        rate: Probability of a fault in each direction, per write and per read.
        seed: Same seed, same faults for the same traffic.
    """

    name = "a faulty line"

    def __init__(self, stream: ByteStream, rate: float, seed: int) -> None:
        self._stream = stream
        self._rate = rate
        self._random = random.Random(seed)
        self._held = b""
        self.faults: dict[str, int] = {}

    def write(self, data: bytes) -> None:
        self._stream.write(self._hurt(data, "to device"))

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        if self._held:
            held, self._held = self._held, b""
            return held
        data = self._stream.read(max_bytes, timeout_s)
        if len(data) > 1 and self._strikes():
            self._count("delay")
            middle = self._random.randrange(1, len(data))
            data, self._held = data[:middle], data[middle:]
        return self._hurt(data, "from device")

    def close(self) -> None:
        self._stream.close()

    def _strikes(self) -> bool:
        return self._random.random() < self._rate

    def _count(self, fault: str) -> None:
        self.faults[fault] = self.faults.get(fault, 0) + 1

    def _hurt(self, data: bytes, direction: str) -> bytes:
        if not data or not self._strikes():
            return data
        kinds: dict[str, Callable[[bytes, int], bytes]] = {
            "drop": lambda d, at: d[:at] + d[at + 1 :],
            "corrupt": lambda d, at: d[:at] + bytes([d[at] ^ (1 << self._random.randrange(8))]) + d[at + 1 :],
            "duplicate": lambda d, at: d[:at] + d[at : at + 1] + d[at:],
            "insert": lambda d, at: d[:at] + self._random.randbytes(3) + d[at:],
            "zero": lambda d, at: d[:at] + b"\x00" + d[at:],
            "cut": lambda d, at: d[:at],
            "lose": lambda d, at: b"",
            "repeat": lambda d, at: d + d,
        }
        kind = self._random.choice(list(kinds))
        self._count(f"{kind} {direction}")
        return kinds[kind](data, self._random.randrange(len(data)))
