"""Hand-made features: what each kind measures, on signals whose answer is known."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardwear.baselines import Features, window_features
from hardwear.errors import DatasetError

RATE = 50
TIME = np.arange(128) / RATE


def still(gravity: tuple[float, float, float] = (1.0, 0.0, 0.0)) -> npt.NDArray[np.float32]:
    windows = np.zeros((1, 128, 6), dtype=np.float32)
    windows[:, :, :3] = gravity
    return windows


def named(features: Features, name: str) -> npt.NDArray[np.float64]:
    return features.values[:, features.names.index(name)]


def random_windows(seed: int, count: int = 3) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    windows = rng.standard_normal((count, 128, 6)).astype(np.float32)
    return windows, (windows[:, :, :3] - np.float32(0.5)).astype(np.float32)


def test_every_feature_has_a_name_of_its_own_and_a_value() -> None:
    windows, body = random_windows(0)
    with_gravity, without = window_features(windows, body), window_features(windows)
    for features in (with_gravity, without):
        assert features.values.shape == (3, len(features.names))
        assert features.values.dtype == np.float64
        assert len(set(features.names)) == len(features.names)
        assert np.isfinite(features.values).all()
    assert set(without.names) < set(with_gravity.names)
    assert not [name for name in without.names if "gravity" in name]


@pytest.mark.parametrize("level", [0.0, 1.0, -3.5])
def test_no_motion_at_all_divides_by_nothing(level: float) -> None:
    windows = np.full((2, 128, 6), level, dtype=np.float32)
    features = window_features(windows, np.zeros((2, 128, 3), dtype=np.float32))
    assert np.isfinite(features.values).all()
    for name in ("body_acc_x std", "gyro_z skewness", "gyro correlation xy", "gyro jerk_x dominant frequency (Hz)"):
        assert named(features, name) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("hertz", [1.5625, 3.125, 6.25])
def test_a_tone_is_found_at_its_frequency_and_in_its_band(hertz: float) -> None:
    windows = still()
    windows[:, :, 4] = 0.7 * np.sin(2 * np.pi * hertz * TIME)
    features = window_features(windows)
    assert named(features, "gyro_y dominant frequency (Hz)") == pytest.approx(hertz, abs=0.2)
    assert named(features, "gyro_y centroid (Hz)") == pytest.approx(hertz, abs=0.05)
    assert named(features, "gyro_y energy") == pytest.approx(0.49 / 2, rel=1e-6)
    bands = {name: float(named(features, name)[0]) for name in features.names if name.startswith("gyro_y power")}
    low, high = max(bands, key=lambda name: bands[name]).split()[2].split("-")
    assert float(low) <= hertz < float(high)


def test_a_period_of_half_a_second_comes_back_after_a_second_and_turns_after_a_quarter() -> None:
    windows = still()
    windows[:, :, 0] += np.sin(2 * np.pi * 2.0 * TIME)
    features = window_features(windows)
    assert named(features, "body_acc_x autocorrelation 1 s") > 0.55  # 28 of 128 samples overlap less and less
    assert named(features, "body_acc_x autocorrelation 0.2 s") < -0.6
    # A full turn is 25 samples: 2 crossings each.
    assert named(features, "body_acc_x crossings of the mean") == pytest.approx(2 / 25, abs=0.01)


def test_statistics_are_those_of_numpy_and_scipy() -> None:
    from scipy import stats

    windows, _ = random_windows(4)
    features = window_features(windows)
    series = windows[:, :, 5].astype(np.float64)
    expected = {
        "mean": series.mean(axis=1),
        "std": series.std(axis=1),
        "max": series.max(axis=1),
        "quartile range": stats.iqr(series, axis=1),
        "median deviation": stats.median_abs_deviation(series, axis=1),
        "skewness": stats.skew(series, axis=1),
        "kurtosis": stats.kurtosis(series, axis=1, fisher=False),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(named(features, f"gyro_z {name}"), values, rtol=1e-9)
    pearson = [stats.pearsonr(w[:, 3], w[:, 5]).statistic for w in windows.astype(np.float64)]
    np.testing.assert_allclose(named(features, "gyro correlation xz"), pearson, rtol=1e-9)


def test_tilt_is_the_angle_of_gravity() -> None:
    tilt = np.radians(30.0)
    windows = still((float(np.cos(tilt)), float(np.sin(tilt)), 0.0))
    features = window_features(windows, np.zeros((1, 128, 3), dtype=np.float32))
    angles = [float(named(features, f"angle gravity, {axis} (rad)")[0]) for axis in "xyz"]
    assert angles == pytest.approx([tilt, np.pi / 2 - tilt, np.pi / 2], abs=1e-6)
    assert named(features, "gravity magnitude mean") == pytest.approx(1.0, abs=1e-6)
    assert named(features, "angle gravity, start to end (rad)") == pytest.approx(0.0, abs=1e-6)


def test_vertical_motion_is_told_from_horizontal_however_the_phone_sits() -> None:
    body = np.zeros((2, 128, 3), dtype=np.float32)
    body[0, :, 0] = body[1, :, 2] = 0.3 * np.sin(2 * np.pi * 2.0 * TIME)  # along gravity in both
    windows = np.concatenate([still((1.0, 0.0, 0.0)), still((0.0, 0.0, 1.0))])
    windows[:, :, :3] += body
    features = window_features(windows, body)
    assert named(features, "body_acc vertical std") == pytest.approx([0.3 / np.sqrt(2)] * 2, rel=0.02)
    assert named(features, "body_acc horizontal std") == pytest.approx([0.0] * 2, abs=1e-6)


@given(st.integers(0, 2**16), st.floats(0.1, 10.0))
@settings(max_examples=15)
def test_shapes_of_the_signal_do_not_hang_on_its_strength(seed: int, gain: float) -> None:
    windows, _ = random_windows(seed, count=2)
    weak, strong = window_features(windows), window_features((gain * windows).astype(np.float32))
    for name in ("body_acc_y kurtosis", "gyro correlation yz", "gyro_x spectral entropy", "body_acc_z centroid (Hz)"):
        np.testing.assert_allclose(named(strong, name), named(weak, name), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(named(strong, "gyro_x std"), gain * named(weak, "gyro_x std"), rtol=1e-4)


@given(st.integers(0, 2**16))
@settings(max_examples=10)
def test_each_window_is_described_by_itself(seed: int) -> None:
    windows, body = random_windows(seed)
    together = window_features(windows, body).values
    apart = np.vstack([window_features(windows[k : k + 1], body[k : k + 1]).values for k in range(len(windows))])
    np.testing.assert_allclose(together, apart, rtol=1e-9, atol=1e-12)


def test_swapping_two_axes_swaps_their_features() -> None:
    windows, _ = random_windows(7)
    swapped = windows[:, :, [1, 0, 2, 3, 4, 5]]
    np.testing.assert_allclose(
        named(window_features(swapped), "body_acc_y std"), named(window_features(windows), "body_acc_x std")
    )


def test_another_shape_is_refused() -> None:
    with pytest.raises(DatasetError, match="expected windows"):
        window_features(np.zeros((2, 100, 6), dtype=np.float32))
    with pytest.raises(DatasetError, match="body_acc"):
        window_features(np.zeros((2, 128, 6), dtype=np.float32), np.zeros((3, 128, 3), dtype=np.float32))
