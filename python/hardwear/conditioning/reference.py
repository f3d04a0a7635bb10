"""The chain in float64: what UCI-HAR's authors ran, recovered from their data.

Median of three, centred, with zeros beyond both ends; then a causal Butterworth low-pass of order 10 at 20 Hz from zero
state. The gyro then loses its low-passed self (order 2 at 0.1 Hz). This rebuilds all 10,299 windows from the raw HAPT
recordings to 5e-7, half the last digit of the published text.
"""

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

from hardwear.conditioning.design import LOW_PASS, OFFSET, Butterworth
from hardwear.contract import CHANNEL_COUNT, CHANNELS, GYRO, SAMPLE_RATE_HZ
from hardwear.errors import DatasetError

GRAVITY = Butterworth(order=3, cutoff_hz=0.3)
"""What UCI-HAR takes for gravity: body_acc is total_acc minus this low-pass of it."""

FloatArray = npt.NDArray[np.float64]


def condition(samples: npt.ArrayLike) -> FloatArray:
    """Raw recording to `total_acc` and `body_gyro`.

    Args:
        samples: (..., N, 6) raw acceleration in g and angular rate in rad/s at 50 Hz.

    Returns:
        (..., N, 6) float64 in the same units.

    Raises:
        DatasetError: Another shape, or a sample is not finite.
    """
    values = _checked(samples, CHANNEL_COUNT, "the six channels " + ", ".join(c.name for c in CHANNELS))
    conditioned = _low_pass(LOW_PASS, median_of_three(values))
    conditioned[..., GYRO] -= _low_pass(OFFSET, conditioned[..., GYRO])
    return conditioned


def body_acceleration(total_acc: npt.ArrayLike) -> FloatArray:
    """`total_acc` of a whole recording to `body_acc`: gravity removed.

    Args:
        total_acc: (..., N, 3) conditioned acceleration in g, from the first sample of the recording on.

    Returns:
        (..., N, 3) float64, g.

    Raises:
        DatasetError: Another shape, or a sample is not finite.
    """
    values = _checked(total_acc, 3, "the acceleration's x, y and z")
    return np.asarray(values - _low_pass(GRAVITY, values))


def median_of_three(samples: FloatArray) -> FloatArray:
    """Median of each sample and its two neighbours along the last axis but one; zeros stand beyond the ends."""
    ends = [(0, 0)] * samples.ndim
    ends[-2] = (1, 1)
    line = np.pad(samples, ends)
    before, now, after = line[..., :-2, :], line[..., 1:-1, :], line[..., 2:, :]
    return np.maximum(np.minimum(before, now), np.minimum(np.maximum(before, now), after))


def _low_pass(filter_: Butterworth, samples: FloatArray) -> FloatArray:
    if not samples.size:  # scipy refuses to filter nothing
        return samples.copy()
    sos = butter(filter_.order, filter_.cutoff_hz, fs=SAMPLE_RATE_HZ, output="sos")
    return np.asarray(sosfilt(sos, samples, axis=-2))


def _checked(samples: npt.ArrayLike, channels: int, names: str) -> FloatArray:
    values = np.asarray(samples, dtype=np.float64)
    if values.ndim < 2 or values.shape[-1] != channels:
        raise DatasetError(f"expected samples of shape (..., N, {channels}), {names}, got {values.shape}")
    if not np.isfinite(values).all():
        raise DatasetError("expected finite samples, got NaN or infinity; drop or repair them before this step")
    return values
