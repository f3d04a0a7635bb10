"""How sure the model is: int8 logits to six probabilities in integer arithmetic, the same on the chip to the bit.

A probability is a softmax of logits over a temperature, p[i] = exp(l[i] / T) / sum(exp(l[j] / T)). T below 1 makes it
surer, above 1 less sure; the class never changes. It is told in 255ths (`q8`): 0 is none, 255 is certainty.

    w[i] = table[max(q) - q[i]]                        table[d] = round(2**15 * exp(-d * scale / T)), d = 0 … 255
    p[i] = (510 * w[i] + sum(w)) // (2 * sum(w))       255 * w[i] / sum(w), halves rounded up

The largest logit's weight is exactly 2**15, so the sum is never zero. 15 fraction bits let an entry be uint16 and cost
less than 0.02 of a 255th, beside the half that rounding to 255ths costs anyway (`ERROR_BOUND`); the numerator stays
below 2**24. Every product and sum fits uint32. `firmware/core/confidence.h` is the same in C++.
"""

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hardwear.contract import CLASS_COUNT
from hardwear.errors import ConversionError

CERTAINTY = 255
"""The probability 1."""

WEIGHT_ONE = 1 << 15
"""Weight of the largest logit."""

DIFFERENCES = 256
"""Entries of the table: what two int8 logits can differ by."""

TEMPERATURE_MIN, TEMPERATURE_MAX = 0.01, 100.0

ERROR_BOUND = 0.5 + CERTAINTY * 2.5 / WEIGHT_ONE
"""Largest difference from 255 times the exact softmax of the same logits.

Half a step is the rounding. A weight is wrong by at most 1/2, the largest logit's not at all, so that of the largest
share p is wrong by at most 5/2 * p / sum(w), and of any other by (1/2 + 3/2 * p) / sum(w); sum(w) is 2**15 or more.
"""

SUM_BOUND = 3
"""The six probabilities add up to 255, give or take this: half a step each."""

_DIGITS = 40


@dataclass(frozen=True)
class IntegerSoftmax:
    """The chip's way from int8 logits to probabilities in 255ths.

    Attributes:
        scale: Logit per int8 step, positive.
        temperature: T, 0.01 to 100.
    """

    scale: float
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Hold both to what they may be."""
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise ConversionError(f"expected a positive scale of the logits, got {self.scale}")
        require_temperature(self.temperature)

    @cached_property
    def table(self) -> tuple[int, ...]:
        """256 weights by difference to the largest logit, 2**15 down to 0, never rising.

        In decimal arithmetic, whose exp is exactly rounded: no machine's C library makes another table.
        """
        with localcontext() as context:
            context.prec = _DIGITS
            step = Decimal(self.scale) / Decimal(self.temperature)
            return tuple(int((WEIGHT_ONE * (-d * step).exp()).to_integral_value()) for d in range(DIFFERENCES))

    def probabilities(self, logits: npt.NDArray[np.int8]) -> npt.NDArray[np.uint8]:
        """Probabilities of every class in 255ths.

        Larger logits never get smaller probabilities and equal ones get equal probabilities, so that the first largest
        probability is that of the decided class, or of one that is equal to it after rounding.

        Args:
            logits: (..., 6) int8, as the model gives them.

        Returns:
            (..., 6) uint8; the confidence is that of the decided class, their largest.

        Raises:
            ConversionError: Not int8, or the last axis is not the six classes.
        """
        if logits.dtype != np.int8 or logits.ndim == 0 or logits.shape[-1] != CLASS_COUNT:
            raise ConversionError(
                f"expected int8 logits of shape (..., {CLASS_COUNT}), got {logits.dtype} {logits.shape}"
            )
        steps = logits.astype(np.int32)
        weights = np.array(self.table, dtype=np.uint32)[steps.max(axis=-1, keepdims=True) - steps]
        total = weights.sum(axis=-1, keepdims=True, dtype=np.uint32)
        return np.asarray((2 * CERTAINTY * weights + total) // (2 * total), dtype=np.uint8)

    def exact(self, logits: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
        """The softmax that `probabilities` rounds: (..., 6) float64, of sum 1, for int8 logits (..., 6)."""
        return softmax(self.scale * logits.astype(np.float64) / self.temperature)


def require_temperature(temperature: float) -> None:
    """Raise a `ConversionError` for a temperature that the chip's table is not made for."""
    if not TEMPERATURE_MIN <= temperature <= TEMPERATURE_MAX:
        raise ConversionError(
            f"expected a temperature of {TEMPERATURE_MIN:g} to {TEMPERATURE_MAX:g}, got {temperature}; "
            "1 leaves the probabilities as the network was trained, `hardwear study calibration` finds a better one"
        )


def softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Exponentials over the last axis, divided by their sum."""
    return np.asarray(np.exp(log_softmax(logits)), dtype=np.float64)


def log_softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The logarithm of `softmax`, without overflow or loss."""
    below = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(below - np.log(np.exp(below).sum(axis=-1, keepdims=True)), dtype=np.float64)
