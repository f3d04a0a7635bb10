"""What lies before and after each window in the recording that it was cut from.

With it a window can be cut anew at any offset, or read faster or slower, with the true samples on both sides.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hardwear.conditioning.reference import condition
from hardwear.contract import CHANNEL_COUNT, HOP_SAMPLES, WINDOW_SAMPLES
from hardwear.datasets.dataset import Dataset, Surroundings, WindowSet
from hardwear.datasets.origins import Origins, window_origins
from hardwear.datasets.recording import Recording, Segment
from hardwear.datasets.windowing import recordings_sha256

MARGIN = HOP_SAMPLES
"""Samples on each side: as far as the next window is."""


def with_surroundings(dataset: Dataset, recordings: Sequence[Recording]) -> Dataset:
    """The same windows, each with its surroundings.

    Args:
        dataset: UCI-HAR.
        recordings: HAPT's, of which its windows are cut.

    Raises:
        DatasetError: A window is found nowhere in its subject's recordings, or at more than one place.
    """
    origins = window_origins(dataset, recordings)
    signals = {r.experiment: condition(r.samples).astype(np.float32) for r in recordings}
    segments = {r.experiment: r.segments for r in recordings}
    return replace(
        dataset,
        recordings_sha256=recordings_sha256(recordings),
        train=_surround(dataset.train, origins.train, signals, segments),
        test=_surround(dataset.test, origins.test, signals, segments),
    )


def _surround(
    windows: WindowSet,
    origins: Origins,
    signals: dict[int, npt.NDArray[np.float32]],
    segments: dict[int, tuple[Segment, ...]],
) -> WindowSet:
    samples = np.zeros((len(windows), WINDOW_SAMPLES + 2 * MARGIN, CHANNEL_COUNT), dtype=np.float32)
    room = np.zeros((len(windows), 2), dtype=np.int64)
    places = zip(origins.experiment.tolist(), origins.start.tolist(), windows.labels.tolist(), strict=True)
    for row, (experiment, start, label) in enumerate(places):
        signal = signals[experiment]
        first, stop = max(start - MARGIN, 0), min(start + WINDOW_SAMPLES + MARGIN, len(signal))
        samples[row, first - (start - MARGIN) : stop - (start - MARGIN)] = signal[first:stop]
        room[row] = _room(segments[experiment], start, label + 1)
    # The published text rounds each sample; offset 0 is to give the published window and no other.
    samples[:, MARGIN : MARGIN + WINDOW_SAMPLES] = windows.windows
    return replace(windows, surroundings=Surroundings(samples, room))


def _room(segments: tuple[Segment, ...], start: int, activity: int) -> tuple[int, int]:
    """How far the window can move and lie within the segments of its activity that it touches now."""
    stop = start + WINDOW_SAMPLES
    own = [s for s in segments if s.activity == activity and s.start < stop and start < s.stop]
    if not own:
        return 0, 0
    earlier = start - min(s.start for s in own)
    later = max(s.stop for s in own) - stop
    return min(max(earlier, 0), MARGIN), min(max(later, 0), MARGIN)
