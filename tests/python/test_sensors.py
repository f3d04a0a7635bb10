"""The motion sensors' scales, axes and ranges, and what UCI-HAR's wearers ask of them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import butter, sosfiltfilt

from hardwear.contract import ACC, COUNTS_PER_UNIT, GYRO, INT16_MAX, SAMPLE_RATE_HZ, from_counts
from hardwear.datasets.hapt import load_hapt
from hardwear.errors import DatasetError
from hardwear.wearable.sensors import BMI270, FRACTION_BITS, LSM9DS1, SENSORS, Sensor, to_counts, to_steps

PI = Fraction("3.14159265358979323846264338327950288419716939937510")
STEPS = arrays(np.int16, (3, 6), elements=st.integers(-32768, 32767))


@pytest.mark.parametrize("sensor", SENSORS, ids=lambda s: s.name)
def test_multipliers_are_the_nearest_to_the_data_sheet(sensor):
    acceleration = Fraction(str(sensor.acceleration.units_per_step)) * 8192
    rate = Fraction(str(sensor.rate.units_per_step)) * PI / 180 * 2048
    for value, exact in ((sensor.acceleration_multiplier, acceleration), (sensor.rate_multiplier, rate)):
        assert abs(value - exact * 2**FRACTION_BITS) <= Fraction(501, 1000)


def test_the_lsm9ds1s_rate_step_is_70_millidegrees_not_its_range_over_32768():
    assert LSM9DS1.rate.units_per_step == 0.070
    assert LSM9DS1.rate_multiplier / 2**FRACTION_BITS == pytest.approx(2.502104, abs=1e-6)


@pytest.mark.parametrize("sensor", SENSORS, ids=lambda s: s.name)
@given(STEPS)
def test_steps_come_back_within_the_roundings(sensor, steps):
    counts = to_counts(sensor, steps)
    within = np.abs(counts.astype(np.int64)) < INT16_MAX
    again = to_steps(sensor, from_counts(counts))
    for board_axis, (axis, _) in enumerate(sensor.axes):
        for group in (ACC, GYRO):
            per_step = (sensor.acceleration if group == ACC else sensor.rate).units_per_step
            unit = COUNTS_PER_UNIT[group.start] * (1 if group == ACC else np.pi / 180)
            off = again[:, group.start + axis].astype(np.int64) - steps[:, group.start + axis]
            allowed = np.floor(0.5 + 0.502 / (per_step * unit))
            assert (np.abs(off)[within[:, group.start + board_axis]] <= allowed).all()


@pytest.mark.parametrize(("sensor", "handedness"), [(LSM9DS1, -1), (BMI270, 1)], ids=["LSM9DS1", "BMI270"])
def test_the_board_is_right_handed_whatever_the_sensor(sensor: Sensor, handedness):
    matrix = np.zeros((3, 3))
    for row, (axis, sign) in enumerate(sensor.axes):
        matrix[row, axis] = sign
    assert np.linalg.det(matrix) == pytest.approx(handedness)


def test_both_revisions_of_the_board_read_the_same_motion_alike():
    motion = np.random.default_rng(1).uniform(-3, 3, (100, 6))
    readings = [from_counts(to_counts(sensor, to_steps(sensor, motion))) for sensor in SENSORS]
    for reading in readings:
        np.testing.assert_allclose(reading[:, ACC], motion[:, ACC], atol=1.3e-4)
        np.testing.assert_allclose(reading[:, GYRO], motion[:, GYRO], atol=1e-3)


def test_samples_of_another_shape_are_refused():
    with pytest.raises(DatasetError, match=r"\(N, 6\)"):
        to_counts(LSM9DS1, np.zeros((4, 3)))


@pytest.mark.data
def test_no_wearer_of_uci_har_comes_near_the_ranges_in_use():
    """HAPT's own sensor ended at 2 g and 573 degrees per second, so its wearers may have gone beyond that."""
    recordings = load_hapt()
    acceleration = max(float(np.abs(r.acc).max()) for r in recordings)
    rate = np.degrees(max(float(np.abs(r.gyro).max()) for r in recordings))
    assert acceleration == pytest.approx(2.01, abs=0.005)
    assert rate == pytest.approx(573.4, abs=0.1)
    beyond_500 = sum(int((np.abs(r.gyro) > np.radians(500)).any(axis=1).sum()) for r in recordings)
    assert beyond_500 == 64  # why the LSM9DS1's +-500 degrees per second are not enough
    for sensor in SENSORS:
        assert sensor.acceleration_g >= 1.9 * acceleration
        assert sensor.rate_dps >= 1.7 * rate
        clipped = to_counts(sensor, [[32767] * 6, [-32768] * 6])
        assert np.abs(from_counts(clipped)[:, ACC]).min() > 1.9 * acceleration


@pytest.mark.data
def test_uci_hars_axes_are_right_handed_so_the_boards_must_be():
    """Seen from a body that turns with w, a fixed vector f changes by -w x f: gravity, while people sit down.

    The fitted factor is 1 for right-handed axes and consistent scales, and -1 for mirrored ones.
    """
    low_pass = butter(2, 1.0, fs=SAMPLE_RATE_HZ, output="sos")
    fitted = {1: [0.0, 0.0], -1: [0.0, 0.0]}
    for recording in load_hapt():
        for mirror, sums in fitted.items():
            f, w = (sosfiltfilt(low_pass, x * [1, 1, mirror], axis=0) for x in (recording.acc, recording.gyro))
            seen, turned = np.gradient(f, 1 / SAMPLE_RATE_HZ, axis=0), -np.cross(w, f)
            for segment in recording.segments:
                if segment.activity <= 6:
                    continue
                part = slice(segment.start, segment.stop)
                sums[0] += float((seen[part] * turned[part]).sum())
                sums[1] += float((turned[part] ** 2).sum())
    assert fitted[1][0] / fitted[1][1] == pytest.approx(1.0, abs=0.03)
    assert fitted[-1][0] / fitted[-1][1] < -0.8
