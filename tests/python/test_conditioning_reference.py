"""The float64 chain is UCI-HAR's own: it rebuilds every published window."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.signal import butter, medfilt, sosfilt

from hardwear.conditioning import fixed_point, reference
from hardwear.conditioning.rebuild import rebuild_windows
from hardwear.contract import ACC, COUNTS_PER_UNIT, GYRO, WINDOW_SAMPLES
from hardwear.datasets import Dataset, Origins, Recording, WindowOrigins, window_origins
from hardwear.errors import DatasetError

FloatArray = npt.NDArray[np.float64]


def with_body_acceleration(samples: FloatArray) -> FloatArray:
    """Raw (..., N, 6) to total_acc, body_gyro and body_acc: (..., N, 9)."""
    conditioned = reference.condition(samples)
    return np.concatenate([conditioned, reference.body_acceleration(conditioned[..., ACC])], axis=-1)


@pytest.fixture(scope="module")
def origins(uci_har: Dataset, hapt: tuple[Recording, ...]) -> WindowOrigins:
    return window_origins(uci_har, hapt)


@pytest.mark.data
def test_it_rebuilds_every_published_window_to_the_last_published_digit(
    uci_har: Dataset, hapt: tuple[Recording, ...], origins: WindowOrigins
) -> None:
    windows = 0
    for published, where in ((uci_har.train, origins.train), (uci_har.test, origins.test)):
        rebuilt = rebuild_windows(hapt, where, with_body_acceleration)
        # Half of the text's last digit, and what the loader's float32 adds.
        assert np.abs(rebuilt[..., ACC] - published.windows[..., ACC]).max() <= 1e-6, "total_acc"
        assert np.abs(rebuilt[..., GYRO] - published.windows[..., GYRO]).max() <= 1e-6, "body_gyro"
        assert np.abs(rebuilt[..., 6:9] - published.body_acc).max() <= 1e-6, "body_acc"
        windows += len(rebuilt)
    assert windows == 10_299


@pytest.mark.data
def test_the_fixed_point_chain_rebuilds_them_to_one_count(
    uci_har: Dataset, hapt: tuple[Recording, ...], origins: WindowOrigins
) -> None:
    rebuilt = rebuild_windows(hapt, origins.test, fixed_point.condition)
    counts = np.abs(rebuilt - uci_har.test.windows) * COUNTS_PER_UNIT
    # Rounding the raw samples to counts, the chain, and rounding its output each cost a fraction of one.
    assert counts.max() < 2.5
    assert np.sqrt(np.mean(counts**2)) < 0.5


def test_it_is_the_chain_in_scipys_words() -> None:
    samples = np.random.default_rng(0).normal(size=(500, 6))
    for channel in range(6):
        smoothed = medfilt(samples[:, channel], 3)
        expected = sosfilt(butter(10, 20, fs=50, output="sos"), smoothed)
        if channel >= 3:
            expected = expected - sosfilt(butter(2, 0.1, fs=50, output="sos"), expected)
        np.testing.assert_allclose(reference.condition(samples)[:, channel], expected, rtol=0, atol=1e-14)


def test_the_median_is_centred_and_sees_zeros_beyond_both_ends() -> None:
    line = np.array([5.0, 3, 9, 4, -2, -7])[:, np.newaxis]
    np.testing.assert_array_equal(reference.median_of_three(line)[:, 0], [3, 5, 4, 4, -2, -2])


def test_body_acceleration_loses_gravity() -> None:
    still = np.tile([1.0, 0.2, -0.1], (3000, 1))
    assert np.abs(reference.body_acceleration(still)[-1]).max() < 1e-6
    np.testing.assert_array_equal(reference.body_acceleration(still)[0] > 0, [True, True, False])


@pytest.mark.parametrize("samples", [0, 1, 2])
def test_short_recordings_pass(samples: int) -> None:
    assert reference.condition(np.ones((samples, 6))).shape == (samples, 6)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((10, 5)), r"shape \(..., N, 6\), the six channels acc_x, .* got \(10, 5\)"),
        (np.zeros(6), r"got \(6,\)"),
        (np.full((10, 6), np.nan), "finite samples"),
        (np.full((10, 6), np.inf), "finite samples"),
    ],
)
def test_other_input_is_refused_with_what_was_expected(samples: Any, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        reference.condition(samples)
    with pytest.raises(DatasetError, match=r"\(10, 6\)"):
        reference.body_acceleration(np.zeros((10, 6)))


def recording(experiment: int, samples: int) -> Recording:
    motion = np.random.default_rng(experiment).normal(size=(samples, 6))
    return Recording(experiment, 1, motion[:, ACC].copy(), motion[:, GYRO].copy(), ())


def origins_of(*places: tuple[int, int]) -> Origins:
    experiment, start = np.array(places, dtype=np.int64).T
    return Origins(experiment, start)


@pytest.mark.parametrize("chain", [reference.condition, fixed_point.condition])
def test_windows_are_cut_where_they_came_from_whatever_lies_beside_them(chain: Any) -> None:
    short, long = recording(3, 300), recording(8, 500)
    rebuilt = rebuild_windows([short, long, recording(9, 50)], origins_of((8, 372), (3, 172), (3, 0)), chain)
    for window, (source, start) in zip(rebuilt, [(long, 372), (short, 172), (short, 0)], strict=True):
        np.testing.assert_array_equal(window, chain(source.samples)[start : start + WINDOW_SAMPLES])


def test_a_window_from_nowhere_is_refused() -> None:
    with pytest.raises(DatasetError, match=r"the experiments \[4, 5\] too"):
        rebuild_windows([recording(3, 300)], origins_of((3, 0), (5, 0), (4, 0)), reference.condition)
    for start in (173, -1):
        with pytest.raises(DatasetError, match=f"window 1 within the 300 samples of experiment 3, .* at {start};"):
            rebuild_windows([recording(3, 300)], origins_of((3, 0), (3, start)), reference.condition)
