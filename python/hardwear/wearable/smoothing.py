"""The label that doesn't flicker: twin of `firmware/core/smoother.h`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hardwear.contract import CLASS_COUNT

UNKNOWN_ACTIVITY = 15
"""The label of a wearer of whom nothing certain can be said."""
MARGIN = 26
"""What another label has to be ahead by, in 255ths: a tenth."""
MAX_SMOOTHING = 6
_ONE = 256


@dataclass
class LabelSmoother:
    """Averages calibrated probabilities over windows and keeps a label until another one is clearly more likely.

    `level += (256 p - level) >> smoothing`; another class is taken once its level is `MARGIN` above the label's;
    UNKNOWN becomes a class at `threshold`, and a class becomes UNKNOWN `MARGIN` below it. Integers throughout, equal
    bit for bit to the chip's.
    """

    smoothing: int
    """A window counts 1 / 2^smoothing, 0 to `MAX_SMOOTHING`."""
    threshold: int
    """The probability in 255ths below which nothing is named."""
    label: int = field(default=UNKNOWN_ACTIVITY, init=False)
    """A class, or `UNKNOWN_ACTIVITY`."""
    _levels: list[int] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if not 0 <= self.smoothing <= MAX_SMOOTHING:
            raise ValueError(f"expected smoothing from 0 to {MAX_SMOOTHING}, got {self.smoothing}")
        if not 0 <= self.threshold <= 255:
            raise ValueError(f"expected a threshold from 0 to 255, got {self.threshold}")

    def reset(self) -> None:
        """Forget all windows: the label is UNKNOWN."""
        self.label = UNKNOWN_ACTIVITY
        self._levels = None

    def push(self, probabilities: Sequence[int]) -> int:
        """Take one window.

        Args:
            probabilities: Six, in 255ths.

        Returns:
            The label.
        """
        heard = [_ONE * int(p) for p in probabilities]
        if len(heard) != CLASS_COUNT:
            raise ValueError(f"expected {CLASS_COUNT} probabilities, got {len(heard)}")
        if self._levels is None:
            self._levels = heard
        else:
            self._levels = [old + ((new - old) >> self.smoothing) for old, new in zip(self._levels, heard, strict=True)]
        levels = self._levels
        best = levels.index(max(levels))
        named, margin = self.threshold * _ONE, MARGIN * _ONE
        if self.label == UNKNOWN_ACTIVITY:
            if levels[best] >= named:
                self.label = best
        else:
            if levels[best] >= levels[self.label] + margin:
                self.label = best
            if levels[self.label] < named - margin:
                self.label = UNKNOWN_ACTIVITY
        return self.label
