"""The fixed-point chain in NumPy int64: the specification that the chip's C++ repeats bit for bit.

For every channel, from zero state (all arithmetic in integers, `>>` floors):

1. median of the raw samples n-1, n, n+1; before the first and after the last sample stands zero;
2. m·2^F into the low-pass, section after section, F = state fraction bits, C = coefficient fraction bits:
   `acc = r + b0·x[n] + b1·x[n-1] + b2·x[n-2] - a1·y[n-1] - a2·y[n-2]`, `y[n] = acc >> C`, `r = acc - (y[n] << C)`;
   r starts at 2^(C-1), so that truncation becomes rounding whose error sums to nothing;
3. gyro channels only: the low-passed signal goes through the offset's sections likewise and is taken off;
4. out = (y + 2^(F-1)) >> F, half rounds up, saturated to int16.
"""

import numpy as np
import numpy.typing as npt

from hardwear.conditioning.design import FILTER_SPEC
from hardwear.conditioning.spec import FilterSpec, Section
from hardwear.contract import (
    CHANNEL_COUNT,
    CHANNELS,
    GYRO,
    INT16_MAX,
    INT16_MIN,
    from_counts,
    to_counts,
)
from hardwear.errors import DatasetError

Int64Array = npt.NDArray[np.int64]


class StreamConditioner:
    """The chain as a stream: however the samples are cut into chunks, the outputs are the same.

    The centred median needs the next sample, so an output comes one sample after its input; `flush` gives the last.

    Args:
        spec: The filters.
        leading: Shape of the leading axes, for many independent recordings side by side.
    """

    def __init__(self, spec: FilterSpec = FILTER_SPEC, leading: tuple[int, ...] = ()) -> None:
        self._spec = spec
        self._leading = leading
        self.reset()

    def reset(self) -> None:
        """Go back to zero state, as before the first sample of a recording."""
        shape = (*self._leading, CHANNEL_COUNT)
        self._recent = np.zeros((2, *shape), dtype=np.int64)
        self._started = False
        one = self._spec.coefficient_fraction_bits
        self._low_pass = [_Biquad(section, one, shape) for section in self._spec.low_pass]
        gyro_shape = (*self._leading, len(CHANNELS[GYRO]))
        self._offset = [_Biquad(section, one, gyro_shape) for section in self._spec.offset]

    def push(self, counts: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Take the next raw samples, give every output that is now due.

        Args:
            counts: (..., n, 6) int16 raw counts, the leading axes as given to the constructor; n may be 0.

        Returns:
            (..., n, 6) int16 conditioned counts, or n - 1 of them for the first samples after a reset.

        Raises:
            DatasetError: Another dtype or shape.
        """
        _check_counts(counts, self._leading)
        if counts.shape[-2] == 0:
            return counts.copy()
        raw = np.moveaxis(counts, -2, 0).astype(np.int64)
        first = 0 if self._started else 1
        self._started = True
        return self._run(raw)[..., first:, :]

    def flush(self) -> npt.NDArray[np.int16]:
        """End the recording: give its last output and go back to zero state.

        Returns:
            (..., 1, 6) int16 conditioned counts; (..., 0, 6) if no sample was pushed.
        """
        if not self._started:
            return np.empty((*self._leading, 0, CHANNEL_COUNT), dtype=np.int16)
        last = self._run(np.zeros((1, *self._leading, CHANNEL_COUNT), dtype=np.int64))
        self.reset()
        return last

    def _run(self, raw: Int64Array) -> npt.NDArray[np.int16]:
        """Raw (n, ..., 6), time first, to (..., n, 6): the outputs of every sample up to the last but one.

        The first of a recording belongs to the zero before it: zero into zero state, which changes no state.
        """
        line = np.concatenate([self._recent, raw])
        self._recent = line[-2:]
        before, now, after = line[:-2], line[1:-1], line[2:]
        median = np.maximum(np.minimum(before, now), np.minimum(np.maximum(before, now), after))

        fraction = self._spec.state_fraction_bits
        signal = median << fraction
        for section in self._low_pass:
            signal = section.run(signal)
        offset = signal[..., GYRO]
        for section in self._offset:
            offset = section.run(offset)
        signal[..., GYRO] -= offset
        rounded = (signal + (1 << (fraction - 1))) >> fraction
        return np.moveaxis(np.clip(rounded, INT16_MIN, INT16_MAX).astype(np.int16), 0, -2)


def condition_counts(counts: npt.NDArray[np.int16], spec: FilterSpec = FILTER_SPEC) -> npt.NDArray[np.int16]:
    """Condition whole recordings from zero state, exactly as the chip does.

    Args:
        counts: (..., N, 6) int16 raw counts, N samples at 50 Hz; leading axes are independent recordings.
        spec: The filters.

    Returns:
        (..., N, 6) int16 conditioned counts, sample for sample.

    Raises:
        DatasetError: Another dtype or shape.
    """
    _check_counts(counts, counts.shape[:-2] if isinstance(counts, np.ndarray) else ())
    stream = StreamConditioner(spec, counts.shape[:-2])
    return np.concatenate([stream.push(counts), stream.flush()], axis=-2)


def condition(samples: npt.ArrayLike, spec: FilterSpec = FILTER_SPEC) -> npt.NDArray[np.float64]:
    """The fixed-point chain from physical units to physical units, to stand where `reference.condition` stands.

    Args:
        samples: (..., N, 6) raw acceleration in g and angular rate in rad/s; saturates at the counts' range.
        spec: The filters.

    Returns:
        (..., N, 6) float64 in the same units, every value a whole number of counts.

    Raises:
        DatasetError: Another shape, or a sample is not finite.
    """
    return from_counts(condition_counts(to_counts(samples), spec))


class _Biquad:
    """One section with its state, over time first and any further axes."""

    def __init__(self, section: Section, fraction_bits: int, shape: tuple[int, ...]) -> None:
        self._section = section
        self._fraction_bits = fraction_bits
        self._inputs = np.zeros((2, *shape), dtype=np.int64)
        self._outputs = np.zeros((2, *shape), dtype=np.int64)
        self._remainder = np.full(shape, 1 << (fraction_bits - 1), dtype=np.int64)

    def run(self, signal: Int64Array) -> Int64Array:
        """(n, ...) in, (n, ...) out, going on from the samples before."""
        section, bits = self._section, self._fraction_bits
        line = np.concatenate([self._inputs, signal])
        self._inputs = line[-2:]
        # The part without feedback needs no loop over time.
        forward = section.b0 * line[2:] + section.b1 * line[1:-1] + section.b2 * line[:-2]
        outputs = np.empty((len(signal) + 2, *signal.shape[1:]), dtype=np.int64)
        outputs[:2] = self._outputs
        remainder, mask = self._remainder, (1 << bits) - 1
        for n, products in enumerate(forward):
            accumulator = remainder + products - section.a1 * outputs[n + 1] - section.a2 * outputs[n]
            np.right_shift(accumulator, bits, out=outputs[n + 2])
            remainder = accumulator & mask
        self._outputs, self._remainder = outputs[-2:].copy(), remainder
        return outputs[2:]


def _check_counts(counts: object, leading: tuple[int, ...]) -> None:
    if not isinstance(counts, np.ndarray) or counts.dtype != np.int16:
        came = f"an array of {counts.dtype}" if isinstance(counts, np.ndarray) else type(counts).__name__
        raise DatasetError(f"expected raw counts as an int16 array, got {came}; convert with contract.to_counts")
    if counts.ndim < 2 or counts.shape[-1] != CHANNEL_COUNT or counts.shape[:-2] != leading:
        expected = ", ".join([*map(str, leading), "N", str(CHANNEL_COUNT)])
        raise DatasetError(
            f"expected counts of shape ({expected}) in the order {', '.join(c.name for c in CHANNELS)}, "
            f"got {counts.shape}; put samples along the last axis but one"
        )
