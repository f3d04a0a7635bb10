"""Counts to the model's int8 input in integer arithmetic: units, normalisation and input scale in one multiply-add.

The float path is ``q = round((counts / counts_per_unit - mean) / std / scale) + zero_point``. It is linear in the
counts, so that per channel one multiplier and one offset say it all:

    q = clamp(-128, 127, (counts * multiplier + offset) >> shift)

with an arithmetic shift in 64 bits. The offset holds zero point, mean and the half that turns the shift's floor into
round-half-up. `firmware/core/quantization.h` is the same three lines in C++.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from hardwear.contract import CHANNEL_COUNT, CHANNELS, COUNTS_PER_UNIT, INT16_MIN
from hardwear.errors import ConversionError

INT8_MIN, INT8_MAX = -128, 127
_MULTIPLIER_MAX = 2**31 - 1
_OFFSET_MAX = 2**62
_SHIFT_MAX = 62


@dataclass(frozen=True)
class InputQuantizer:
    """The chip's way from conditioned int16 counts to int8, one multiplier and one offset for each channel.

    Attributes:
        multiplier: int32, positive; int8 steps per count, times 2**shift.
        offset: int64, at most 2**62 in size; (zero point - mean in int8 steps + 1/2) times 2**shift.
        shift: 0 to 62, the same for all channels.
    """

    multiplier: tuple[int, ...]
    offset: tuple[int, ...]
    shift: int

    def __post_init__(self) -> None:
        """Hold every field to the range in which no int16 count can overflow 64 bits."""
        if len(self.multiplier) != CHANNEL_COUNT or len(self.offset) != CHANNEL_COUNT:
            raise ConversionError(
                f"expected {CHANNEL_COUNT} multipliers and offsets in the input quantiser, "
                f"got {len(self.multiplier)} and {len(self.offset)}"
            )
        if not 0 <= self.shift <= _SHIFT_MAX:
            raise ConversionError(f"expected an input shift of 0 to {_SHIFT_MAX}, got {self.shift}")
        for channel, multiplier, offset in zip(CHANNELS, self.multiplier, self.offset, strict=True):
            if not 0 < multiplier <= _MULTIPLIER_MAX or abs(offset) > _OFFSET_MAX:
                raise ConversionError(
                    f"channel {channel.name}: expected a multiplier of 1 to {_MULTIPLIER_MAX} and an offset within "
                    f"2**62, got {multiplier} and {offset}; train again with a standard deviation that is not so "
                    "far from the other channels'"
                )

    @classmethod
    def design(cls, mean: Sequence[float], std: Sequence[float], scale: float, zero_point: int) -> Self:
        """The quantiser for one normalisation and one input scale, as exact as its integers can hold.

        Args:
            mean: Six channel means in the contract's units (g, rad/s).
            std: Six channel standard deviations, same units, positive.
            scale: The model input's scale: normalised units per int8 step.
            zero_point: The model input's zero point, -128 to 127.

        Returns:
            The quantiser with the largest shift whose numbers fit; its error is below 2**15 / 2**(shift + 1) steps.

        Raises:
            ConversionError: A number is not finite or out of its range.
        """
        means, stds = np.asarray(mean, dtype=np.float64), np.asarray(std, dtype=np.float64)
        finite = np.isfinite(means).all() and np.isfinite(stds).all() and np.isfinite(scale)
        if means.shape != (CHANNEL_COUNT,) or stds.shape != (CHANNEL_COUNT,) or not finite:
            raise ConversionError(
                f"expected {CHANNEL_COUNT} finite means and standard deviations, got {mean} and {std}"
            )
        if not (stds > 0).all() or not scale > 0 or not INT8_MIN <= zero_point <= INT8_MAX:
            raise ConversionError(
                "expected positive standard deviations, a positive input scale and a zero point of -128 to 127, "
                f"got {std}, {scale} and {zero_point}; a channel that never moves can't be normalised"
            )
        steps_per_count = 1.0 / (COUNTS_PER_UNIT * stds * scale)
        origin = zero_point - means / (stds * scale) + 0.5
        for shift in range(_SHIFT_MAX, -1, -1):
            multiplier = [round(step * 2**shift) for step in steps_per_count.tolist()]
            offset = [round(start * 2**shift) for start in origin.tolist()]
            if max(multiplier) <= _MULTIPLIER_MAX and max(map(abs, offset)) <= _OFFSET_MAX:
                break
        return cls(tuple(multiplier), tuple(offset), shift)

    def quantize(self, counts: npt.NDArray[np.int16]) -> npt.NDArray[np.int8]:
        """Conditioned counts to the model's input.

        Args:
            counts: (..., 6) int16 counts in the contract's order.

        Returns:
            (..., 6) int8.

        Raises:
            ConversionError: Not int16, or the last axis is not the six channels.
        """
        if counts.dtype != np.int16 or counts.ndim == 0 or counts.shape[-1] != CHANNEL_COUNT:
            raise ConversionError(
                f"expected int16 counts of shape (..., {CHANNEL_COUNT}), got {counts.dtype} {counts.shape}; "
                "use hardwear.contract.to_counts"
            )
        product = counts.astype(np.int64) * np.array(self.multiplier, dtype=np.int64)
        steps = (product + np.array(self.offset, dtype=np.int64)) >> self.shift
        return np.asarray(np.clip(steps, INT8_MIN, INT8_MAX), dtype=np.int8)


# |counts * multiplier| < 2**46 and |offset| <= 2**62, so the sum of both stays inside int64 for every int16 count.
assert -INT16_MIN * _MULTIPLIER_MAX + _OFFSET_MAX < 2**63
