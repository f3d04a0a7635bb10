"""Windows to ask an engine about: simulated motion, extremes and noise, never a recording of a person."""

import numpy as np
import numpy.typing as npt

from hardwear.bundle import Bundle
from hardwear.conditioning.fixed_point import condition_counts
from hardwear.contract import CHANNEL_COUNT, HOP_SAMPLES, WINDOW_SAMPLES

_SHAPE = (WINDOW_SAMPLES, CHANNEL_COUNT)


def known_window(bundle: Bundle) -> npt.NDArray[np.int8]:
    """(1, 128, 6) int8: the simulated walk that the firmware asks itself about at start."""
    manifest = bundle.manifest
    counts = condition_counts(manifest.known_answer.counts(), manifest.filter)[:WINDOW_SAMPLES]
    return bundle.quantizer.quantize(counts)[np.newaxis]


def known_stream(bundle: Bundle) -> npt.NDArray[np.int8]:
    """(192, 6) int8: that window, and its second half once more."""
    window = known_window(bundle)[0]
    return np.concatenate([window, window[-HOP_SAMPLES:]])


def stream_windows(bundle: Bundle) -> npt.NDArray[np.int8]:
    """(2, 128, 6) int8: the windows of that stream."""
    stream = known_stream(bundle)
    return np.stack([stream[:WINDOW_SAMPLES], stream[HOP_SAMPLES:]])


def probing_windows(bundle: Bundle, count: int) -> npt.NDArray[np.int8]:
    """(count, 128, 6) int8: the simulated walk, all -128, all 127, both in turn, then noise and random walks."""
    random = np.random.default_rng(count)
    alternating = np.where((np.arange(WINDOW_SAMPLES)[:, np.newaxis] + np.arange(CHANNEL_COUNT)) % 2, 127, -128)
    windows = [known_window(bundle)[0], np.full(_SHAPE, -128), np.full(_SHAPE, 127), alternating]
    while len(windows) < count:
        noise = random.integers(-128, 128, _SHAPE)
        walk = np.clip(np.cumsum(random.normal(0, 9, _SHAPE), axis=0), -128, 127)
        windows.append(noise if len(windows) % 2 == 0 else walk)
    return np.array(windows[:count]).astype(np.int8)
