"""Rebuilds the windows of a data set from raw recordings, through whichever conditioning chain."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from hardwear.contract import CHANNEL_COUNT, WINDOW_SAMPLES
from hardwear.datasets.origins import Origins
from hardwear.datasets.recording import Recording
from hardwear.errors import DatasetError

FloatArray = npt.NDArray[np.float64]
Chain = Callable[[FloatArray], FloatArray]
"""(..., N, 6) raw to (..., N, C) conditioned, causal but for the median, from zero state; for example
`reference.condition` or `fixed_point.condition`."""


def rebuild_windows(recordings: Sequence[Recording], origins: Origins, chain: Chain) -> FloatArray:
    """Condition every recording from its first sample on, then cut each window where it came from.

    Args:
        recordings: Raw; those that no window came from are left alone.
        origins: Experiment and first sample of each window, as `window_origins` finds them.
        chain: The conditioning.

    Returns:
        (windows, 128, C) float64, in the order of `origins`.

    Raises:
        DatasetError: A window comes from a recording that is not there, or from beyond its end.
    """
    used = {int(experiment) for experiment in np.unique(origins.experiment)}
    chosen = [recording for recording in recordings if recording.experiment in used]
    missing = sorted(used - {recording.experiment for recording in chosen})
    if missing:
        raise DatasetError(f"expected recordings of the experiments {missing} too; give all that the windows came from")
    row_of = {recording.experiment: row for row, recording in enumerate(chosen)}
    rows = np.array([row_of[int(experiment)] for experiment in origins.experiment], dtype=np.int64)
    lengths = np.array([len(recording) for recording in chosen], dtype=np.int64)
    outside = np.flatnonzero((origins.start < 0) | (origins.start + WINDOW_SAMPLES > lengths[rows]))
    if len(outside):
        window = outside[0]
        raise DatasetError(
            f"expected window {window} within the {lengths[rows[window]]} samples of experiment "
            f"{origins.experiment[window]}, got its start at {origins.start[window]}; take origins and recordings "
            "from the same archive"
        )
    # Side by side the slow loop over time runs once. Zeros behind a recording are what the median sees there anyway.
    raw = np.zeros((len(chosen), max(lengths, default=0), CHANNEL_COUNT))
    for row, recording in enumerate(chosen):
        raw[row, : len(recording)] = recording.samples
    conditioned = chain(raw)
    samples = origins.start[:, np.newaxis] + np.arange(WINDOW_SAMPLES)
    return np.asarray(conditioned[rows[:, np.newaxis], samples])
