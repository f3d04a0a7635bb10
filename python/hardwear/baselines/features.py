"""Hand-made features of windows, in the time and the frequency domain.

In the spirit of the 561 that come with UCI-HAR (Anguita et al., ESANN 2013), but made here, from the windows alone.
The signals are body acceleration, gravity and angular rate, the jerks of the first and the last, and the magnitudes. Of
each are taken statistics, autocorrelations and the power spectrum's shape, of the axes their correlations, of gravity
its angles. Every feature is defined for every finite window: what would be a division by no motion at all is 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hardwear.contract import ACC, CHANNEL_COUNT, GYRO, SAMPLE_RATE_HZ, WINDOW_SAMPLES
from hardwear.errors import DatasetError

FloatArray = npt.NDArray[np.float64]

AXES = "xyz"
BAND_EDGES_HZ = (0.2, 0.8, 1.4, 2.0, 2.7, 3.6, 5.0, 8.0, 12.0, 20.0)
"""Narrow where strides and steps lie; nothing above 20 Hz passes the conditioning."""
LAGS_SECONDS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""At which autocorrelations are taken; a stride takes about 1 s, a step half of it."""

_NOTHING = 1e-12
"""Below this a deviation or a power is rounding, in units of g or rad/s."""


@dataclass(frozen=True, eq=False)
class Features:
    """Feature vectors and what stands in them."""

    values: FloatArray
    """(N, F) float64, finite."""
    names: tuple[str, ...]
    """F different names, such as `body_acc_x std` or `gyro magnitude power 1.4-2.0 Hz`."""


def window_features(windows: npt.NDArray[np.float32], body_acc: npt.NDArray[np.float32] | None = None) -> Features:
    """Features of conditioned windows.

    Args:
        windows: (N, 128, 6) float, acceleration in g, then angular rate in rad/s.
        body_acc: (N, 128, 3) the acceleration without gravity; what `windows` has more is gravity, with its angles.
            None if `windows` holds acceleration without gravity already: nothing is then known of the posture.

    Returns:
        One vector a window.

    Raises:
        DatasetError: A shape is another.
    """
    expected = (len(windows), WINDOW_SAMPLES, CHANNEL_COUNT)
    if windows.shape != expected or (body_acc is not None and body_acc.shape != (*expected[:2], 3)):
        found = windows.shape if body_acc is None else (windows.shape, body_acc.shape)
        raise DatasetError(
            f"expected windows (N, {WINDOW_SAMPLES}, {CHANNEL_COUNT}) and body_acc (N, {WINDOW_SAMPLES}, 3) or None, "
            f"got {found}; pass WindowSet.windows and WindowSet.body_acc"
        )
    acceleration = windows[:, :, ACC].astype(np.float64)
    body = acceleration if body_acc is None else body_acc.astype(np.float64)
    gyro = windows[:, :, GYRO].astype(np.float64)
    moving = {"body_acc": body, "gyro": gyro, "body_acc jerk": _jerk(body), "gyro jerk": _jerk(gyro)}

    parts = [part for name, signal in moving.items() for part in _of_moving(name, signal)]
    if body_acc is not None:
        parts += _of_gravity(acceleration - body, body, gyro)
    return Features(np.column_stack([values for _, values in parts]), tuple(name for name, _ in parts))


Named = tuple[str, FloatArray]
"""A feature's name and its (N,) values."""


def _jerk(signal: FloatArray) -> FloatArray:
    """(N, 128, 3) the change a second, by central differences."""
    return np.asarray(np.gradient(signal, 1.0 / SAMPLE_RATE_HZ, axis=1))


def _of_moving(name: str, signal: FloatArray) -> Iterator[Named]:
    magnitude = np.linalg.norm(signal, axis=2)
    series = [(f"{name}_{axis}", signal[:, :, k]) for k, axis in enumerate(AXES)]
    for label, values in (*series, (f"{name} magnitude", magnitude)):
        yield from _statistics(label, values)
        yield from _autocorrelations(label, values)
        yield from _spectrum(label, values)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        correlation = _correlation(signal[:, :, first], signal[:, :, second])
        yield f"{name} correlation {AXES[first]}{AXES[second]}", correlation
    yield f"{name} magnitude area", np.abs(signal).sum(axis=2).mean(axis=1)


def _of_gravity(gravity: FloatArray, body: FloatArray, gyro: FloatArray) -> Iterator[Named]:
    for k, axis in enumerate(AXES):
        yield from _statistics(f"gravity_{axis}", gravity[:, :, k])
    direction = gravity.mean(axis=1)
    for k, axis in enumerate(AXES):
        yield f"angle gravity, {axis} (rad)", _angle(direction, np.eye(3)[k])
    yield "gravity magnitude mean", np.linalg.norm(direction, axis=1)
    turned = _angle(gravity, direction[:, None, :])
    yield "angle gravity, its mean, largest (rad)", turned.max(axis=1)
    yield "angle gravity, start to end (rad)", _angle(gravity[:, 0], gravity[:, -1])
    for label, signal in (("body_acc", body), ("body_acc jerk", _jerk(body)), ("gyro", gyro)):
        yield f"angle {label} mean, gravity (rad)", _angle(signal.mean(axis=1), direction)
    # Up and down, and across: what of the motion lies along gravity does not hang on how the phone sits.
    unit = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), _NOTHING)
    along = np.einsum("ntk,nk->nt", body, unit)
    across = np.linalg.norm(body - along[:, :, None] * unit[:, None, :], axis=2)
    for label, values in (("body_acc vertical", along), ("body_acc horizontal", across)):
        yield from _statistics(label, values)
        yield from _autocorrelations(label, values)
        yield from _spectrum(label, values)


# -- of one series (N, 128) ------------------------------------------------------------------------------------------


def _statistics(label: str, values: FloatArray) -> Iterator[Named]:
    mean, deviation = values.mean(axis=1), values.std(axis=1)
    centred = values - mean[:, None]
    low, lower, median, upper, high = np.percentile(values, (0, 25, 50, 75, 100), axis=1)
    yield f"{label} mean", mean
    yield f"{label} std", deviation
    yield f"{label} median deviation", np.median(np.abs(values - median[:, None]), axis=1)
    yield f"{label} min", low
    yield f"{label} max", high
    yield f"{label} quartile range", upper - lower
    yield f"{label} energy", np.square(values).mean(axis=1)
    yield f"{label} skewness", _ratio((centred**3).mean(axis=1), deviation**3)
    yield f"{label} kurtosis", _ratio((centred**4).mean(axis=1), deviation**4)
    yield f"{label} crossings of the mean", (np.diff(np.signbit(centred), axis=1) != 0).mean(axis=1)


def _autocorrelations(label: str, values: FloatArray) -> Iterator[Named]:
    centred = values - values.mean(axis=1, keepdims=True)
    power = np.square(centred).sum(axis=1)
    for seconds in LAGS_SECONDS:
        lag = round(seconds * SAMPLE_RATE_HZ)
        product = (centred[:, lag:] * centred[:, :-lag]).sum(axis=1)
        yield f"{label} autocorrelation {seconds:g} s", _ratio(product, power)


def _spectrum(label: str, values: FloatArray) -> Iterator[Named]:
    """Band powers and the shape of the spectrum, of the series without its mean under a Hann window."""
    taper = np.hanning(WINDOW_SAMPLES + 1)[:-1]
    centred = values - values.mean(axis=1, keepdims=True)
    power = np.square(np.abs(np.fft.rfft(centred * taper, axis=1))) / np.square(taper).sum()
    frequency = np.fft.rfftfreq(WINDOW_SAMPLES, 1.0 / SAMPLE_RATE_HZ)
    total = power.sum(axis=1)
    share = _ratio(power, total[:, None])
    for low, high in pairwise(BAND_EDGES_HZ):
        band = power[:, (frequency >= low) & (frequency < high)].sum(axis=1)
        yield f"{label} power {low}-{high} Hz (log)", np.log10(band + _NOTHING)
    centroid = share @ frequency
    spread = np.sqrt(np.maximum(share @ np.square(frequency) - np.square(centroid), 0.0))
    yield f"{label} dominant frequency (Hz)", np.where(total > _NOTHING, frequency[power.argmax(axis=1)], 0.0)
    yield f"{label} dominant share", share.max(axis=1)
    yield f"{label} centroid (Hz)", centroid
    yield f"{label} spread (Hz)", spread
    yield f"{label} spectral entropy", -(share * np.log(share + _NOTHING)).sum(axis=1) / np.log(len(frequency))


# -- small helpers ---------------------------------------------------------------------------------------------------


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Their quotient, or 0 where there is nothing to divide by."""
    something = np.abs(below) > _NOTHING
    return np.asarray(np.where(something, above / np.where(something, below, 1.0), 0.0))


def _correlation(first: FloatArray, second: FloatArray) -> FloatArray:
    first, second = (values - values.mean(axis=1, keepdims=True) for values in (first, second))
    return _ratio((first * second).mean(axis=1), first.std(axis=1) * second.std(axis=1))


def _angle(first: FloatArray, second: FloatArray) -> FloatArray:
    """Radians between vectors along the last axis; 0 if either has no direction."""
    lengths = np.linalg.norm(first, axis=-1) * np.linalg.norm(second, axis=-1)
    cosine = _ratio((first * second).sum(axis=-1), lengths)
    return np.where(lengths > _NOTHING, np.arccos(np.clip(cosine, -1.0, 1.0)), 0.0)
