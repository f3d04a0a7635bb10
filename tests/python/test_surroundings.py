"""What lies around a window is what its recording holds there."""

from dataclasses import replace

import numpy as np
import pytest

from hardwear.conditioning.reference import condition
from hardwear.datasets import (
    Dataset,
    Recording,
    WindowSet,
    concatenate,
    simulate_dataset,
    simulate_recordings,
    window_origins,
    with_surroundings,
)
from hardwear.datasets.surroundings import MARGIN
from hardwear.errors import DatasetError


@pytest.fixture(scope="module")
def recordings() -> tuple[Recording, ...]:
    return simulate_recordings()


@pytest.fixture(scope="module")
def dataset(recordings: tuple[Recording, ...]) -> Dataset:
    return with_surroundings(simulate_dataset(), recordings)


def _require_true_surroundings(dataset: Dataset, recordings: tuple[Recording, ...], tolerance: float) -> None:
    by_experiment = {r.experiment: r for r in recordings}
    origins = window_origins(dataset, recordings)
    for windows, places in ((dataset.train, origins.train), (dataset.test, origins.test)):
        around = windows.surroundings
        assert around is not None
        assert around.margin == MARGIN
        np.testing.assert_array_equal(around.samples[:, MARGIN:-MARGIN], windows.windows)
        for row in range(0, len(windows), 7):
            recording = by_experiment[int(places.experiment[row])]
            signal = np.pad(condition(recording.samples), ((MARGIN, MARGIN), (0, 0)))
            start = int(places.start[row])
            np.testing.assert_allclose(around.samples[row], signal[start : start + 256], rtol=0, atol=tolerance)
            activities = np.zeros(len(recording), dtype=int)
            for segment in recording.segments:
                activities[segment.start : segment.stop] = segment.activity
            earlier, later = around.room[row].tolist()
            assert 0 <= earlier <= MARGIN
            assert 0 <= later <= MARGIN
            added = np.concatenate([activities[start - earlier : start], activities[start + 128 :][:later]])
            assert set(added) <= {0, int(windows.labels[row]) + 1}


def test_surroundings_are_the_recordings_samples(dataset: Dataset, recordings: tuple[Recording, ...]) -> None:
    _require_true_surroundings(dataset, recordings, 1e-6)


@pytest.mark.data
def test_surroundings_of_the_published_windows_are_the_recordings_samples(
    uci_har: Dataset, hapt: tuple[Recording, ...]
) -> None:
    surrounded = with_surroundings(uci_har, hapt)
    _require_true_surroundings(surrounded, hapt, 1e-6)
    assert surrounded.train.surroundings is not None
    assert np.mean(surrounded.train.surroundings.room.sum(axis=1) >= 64) > 0.95


def test_surroundings_go_with_their_windows(dataset: Dataset) -> None:
    rows = np.array([5, 3, 11])
    chosen = dataset.train.select(rows)
    both = concatenate(chosen, dataset.test)
    assert chosen.surroundings is not None
    assert both.surroundings is not None
    assert dataset.train.surroundings is not None
    np.testing.assert_array_equal(chosen.surroundings.samples, dataset.train.surroundings.samples[rows])
    np.testing.assert_array_equal(both.surroundings.samples[:, MARGIN:-MARGIN], both.windows)
    assert len(both.surroundings.room) == len(both) == 3 + len(dataset.test)
    assert concatenate(chosen, replace(dataset.test, surroundings=None)).surroundings is None


def test_surroundings_of_another_number_of_windows_are_refused(dataset: Dataset) -> None:
    few: WindowSet = dataset.train.select(np.arange(3))
    with pytest.raises(DatasetError, match=r"surroundings.samples of shape"):
        replace(dataset.train, surroundings=few.surroundings)
