"""What the numbers and times in prediction packets tell: losses, how often they come, whether the board restarted."""

from collections import deque
from dataclasses import dataclass, field

from hardwear.wearable.packets import PredictionPacket

SEQUENCE_MODULUS = 1 << 16
CLOCK_MODULUS = 1 << 32
RATE_INTERVALS = 8
"""The rate is the mean over so many intervals."""
_MOST_LOST = SEQUENCE_MODULUS // 2
"""A larger step of the sequence number goes back, not ahead."""


@dataclass(frozen=True)
class Step:
    """What one packet tells, seen after the one before."""

    lost: int = 0
    """Packets that were sent in between and did not arrive."""
    interval_ms: int | None = None
    """Time of the board's clock since the packet before; None for the first one since a start."""
    restarted: bool = False
    """The board has started anew since the packet before."""


@dataclass
class Tally:
    """Counts packets of one board, over as many connections as it takes."""

    notify_every: int = 1
    """Of the packets that the board numbers it sends every so many; what lies between is not lost."""
    received: int = 0
    lost: int = 0
    """While connected and while not."""
    restarts: int = 0
    _last: PredictionPacket | None = field(default=None, init=False)
    _last_at: float = field(default=0.0, init=False)
    _intervals_ms: deque[float] = field(default_factory=lambda: deque(maxlen=RATE_INTERVALS), init=False)

    def add(self, packet: PredictionPacket, at: float) -> Step | None:
        """Take a packet.

        Args:
            packet: As it came.
            at: When, in seconds of any clock that only goes on.

        Returns:
            What it tells; None if it is the last packet once more, which is not counted.
        """
        step = self._step(packet, at)
        if step is None:
            return None
        self._last, self._last_at = packet, at
        self.received += 1
        self.lost += step.lost
        if step.restarted:
            self.restarts += 1
            self._intervals_ms.clear()
        elif step.interval_ms is not None:
            self._intervals_ms.append(step.interval_ms / (step.lost + 1))
        return step

    @property
    def interval_s(self) -> float | None:
        """Mean time between packets, lost ones included, by the board's clock; None before two have come."""
        if not self._intervals_ms:
            return None
        return sum(self._intervals_ms) / len(self._intervals_ms) / 1000

    def _step(self, packet: PredictionPacket, at: float) -> Step | None:
        last = self._last
        if last is None:
            return Step()
        ahead = (packet.sequence - last.sequence) % SEQUENCE_MODULUS
        passed_ms = (packet.time_ms - last.time_ms) % CLOCK_MODULUS
        if ahead == 0 and passed_ms == 0:
            return None
        # A board that has been running since the last packet has a clock of at least the time since then. That of one
        # that just wrapped is young too, but its packets are numbered without a gap.
        younger = packet.time_ms < 1000 * (at - self._last_at)
        if not 0 < ahead < _MOST_LOST or (ahead > self.notify_every and younger):
            return Step(restarted=True)
        return Step(lost=max(ahead // self.notify_every - 1, 0), interval_ms=passed_ms)
