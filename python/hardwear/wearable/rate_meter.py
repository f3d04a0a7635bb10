"""A sensor's true rate by the board's clock, in integers: twin of `firmware/core/rate_meter.h`."""

from dataclasses import dataclass

from hardwear.contract import SAMPLE_RATE_HZ
from hardwear.wearable.resampling import STEP_BITS

INTERVAL_US = 2_000_000
"""Between two marks that are kept, at least."""
INTERVALS = 16
"""Over how many of them the rate is measured."""
MAX_SILENCE_US = 60_000_000
"""Without a mark for longer than this, what was before is of no use."""
TOLERANCE = 10
"""A rate may be off nominal by a tenth."""

_WORD = 1 << 32
_MILLIHERTZ = 1_000_000_000
"""Millihertz of one sample a microsecond."""
_PERIOD_US = 1_000_000 // SAMPLE_RATE_HZ


@dataclass(frozen=True)
class _Mark:
    time_us: int
    samples: int
    """Since the beginning; modulo 2^32, like the time."""


class RateMeter:
    """Samples divided by time, between the oldest and the newest of the marks of half a minute.

    Args:
        nominal_millihertz: The data sheet's rate, which holds until there is a measured one.
    """

    def __init__(self, nominal_millihertz: int) -> None:
        self.reset(nominal_millihertz)

    def reset(self, nominal_millihertz: int) -> None:
        """Another sensor, or the same one configured anew: begin with its nominal rate."""
        self._nominal = nominal_millihertz
        self.millihertz = nominal_millihertz
        """The rate."""
        self.step = _rounded(nominal_millihertz << STEP_BITS, 1000 * SAMPLE_RATE_HZ)
        """Input samples per output sample in 2^-24: what `StreamResampler` takes."""
        self.settled = False
        """The rate was measured."""
        self.plausible = True
        """In the last interval the rate was within a tenth of nominal."""
        self.restart()

    def restart(self) -> None:
        """Samples were lost, or the sensor slept: measure anew, with the rate as it is until then."""
        self._marks: list[_Mark] = []
        self._samples = 0

    def add(self, now_us: int, samples_drained: int) -> None:
        """The sensor's FIFO was drained to the last sample.

        Args:
            now_us: When, in microseconds modulo 2^32.
            samples_drained: How many samples that gave; 0 counts too.
        """
        self._samples = (self._samples + samples_drained) % _WORD
        mark = _Mark(now_us, self._samples)
        if not self._marks:
            self._marks = [mark]
            return
        elapsed = (now_us - self._marks[-1].time_us) % _WORD
        if elapsed < INTERVAL_US:
            return
        if elapsed > MAX_SILENCE_US:
            self._marks = [mark]
            return
        taken = (self._samples - self._marks[-1].samples) % _WORD
        expected = self._nominal * elapsed
        self.plausible = abs(taken * _MILLIHERTZ - expected) <= expected // TOLERANCE
        if not self.plausible:
            self._marks = [mark]
            return
        self._marks = [*self._marks, mark][-INTERVALS - 1 :]
        self._estimate()

    def _estimate(self) -> None:
        oldest, newest = self._marks[0], self._marks[-1]
        elapsed = (newest.time_us - oldest.time_us) % _WORD
        taken = (newest.samples - oldest.samples) % _WORD
        self.millihertz = _rounded(taken * _MILLIHERTZ, elapsed)
        self.step = _rounded((taken * _PERIOD_US) << STEP_BITS, elapsed)
        self.settled = True


def _rounded(numerator: int, denominator: int) -> int:
    """The quotient to the nearest whole number, half up."""
    return (numerator + denominator // 2) // denominator
