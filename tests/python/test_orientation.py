"""The board's mounting: Python's specification, and the chip's arithmetic against it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation as Turn

import orientation_vectors
from hardwear.wearable.orientation import IDENTITY, LENGTH_TOLERANCE, ONE, Mounting, Rotation, rotate, straighten
from native import Native, build_library

INT16 = st.integers(-32768, 32767)
SAMPLES = arrays(np.int16, (3, 6), elements=INT16)
ANY_MATRIX = st.lists(INT16, min_size=9, max_size=9)
ANY_TURN = st.lists(st.floats(-4, 4), min_size=3, max_size=3).map(lambda v: Turn.from_rotvec(v).as_matrix())


@pytest.fixture(scope="module")
def native() -> Native:
    return build_library()


@given(SAMPLES)
def test_identity_changes_nothing(samples):
    assert (rotate(IDENTITY, samples) == samples).all()
    assert (straighten(Mounting(), samples) == samples).all()


@given(ANY_TURN, SAMPLES)
def test_a_rotation_is_within_a_count_of_the_real_one(matrix, samples):
    rotation = Rotation.of_matrix(matrix)
    real = np.hstack([samples[:, :3] @ matrix.T, samples[:, 3:] @ matrix.T])
    # Half a Q14 step on each of three products, and half a count of rounding.
    allowed = 0.5 + 0.5 / ONE * 3 * 32768 + 1e-6
    assert np.abs(rotate(rotation, samples) - np.clip(real, -32768, 32767)).max() <= allowed


@given(ANY_TURN)
def test_every_rounded_rotation_is_one(matrix):
    assert Rotation.of_matrix(matrix).is_rotation()


@given(ANY_TURN)
def test_a_mirror_is_none(matrix):
    assert not Rotation.of_matrix(matrix @ np.diag([1.0, 1.0, -1.0])).is_rotation()


def test_half_a_count_is_rounded_up():
    half = Rotation.of([ONE // 2, 0, 0, 0, ONE // 2, 0, 0, 0, ONE // 2])
    samples = np.array([[1, -1, 3, -3, 2, 0]], dtype=np.int16)
    assert rotate(half, samples).tolist() == [[1, 0, 2, -1, 1, 0]]


def test_gain_is_of_the_accelerometer_only_and_saturates():
    samples = np.array([[8192, 30000, -30000, 8192, 30000, -30000]], dtype=np.int16)
    out = straighten(Mounting(IDENTITY, ONE * 11 // 10), samples)
    assert out.tolist() == [[9011, 32767, -32768, 8192, 30000, -30000]]


@pytest.mark.parametrize("name", orientation_vectors.NO_ROTATIONS)
def test_what_is_no_rotation_is_told(name):
    assert not orientation_vectors.NO_ROTATIONS[name].is_rotation()


def test_the_tolerance_is_where_it_is_said():
    long = next(v for v in range(ONE, 2 * ONE) if v * v - ONE * ONE > LENGTH_TOLERANCE)
    assert not Rotation.of([long, 0, 0, 0, ONE, 0, 0, 0, ONE]).is_rotation()
    assert Rotation.of([long - 1, 0, 0, 0, ONE, 0, 0, 0, ONE]).is_rotation()


@pytest.mark.parametrize("values", [[0] * 8, [0] * 10])
def test_nine_values_are_needed(values):
    with pytest.raises(ValueError, match="expected nine values"):
        Rotation.of(values)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="expected Q14 values from -32768 to 32767"):
        Rotation.of([32768, 0, 0, 0, 0, 0, 0, 0, 0])
    with pytest.raises(ValueError, match="expected a gain from 1 to 65535"):
        Mounting(IDENTITY, 0)
    with pytest.raises(ValueError, match="expected int16 counts of shape"):
        rotate(IDENTITY, np.zeros((2, 6), dtype=np.int32))


@given(ANY_MATRIX, st.integers(1, 65535), SAMPLES)
def test_the_chip_straightens_to_the_bit(native, matrix, gain, samples):
    expected = straighten(Mounting(Rotation.of(matrix), gain), samples)
    assert (native.straighten(matrix, gain, samples) == expected).all()


@given(ANY_TURN, st.integers(0, 8), st.integers(-200, 200))
def test_the_chip_tells_a_rotation_as_python_does(native, matrix, index, change):
    values = [v for row in Rotation.of_matrix(matrix).q14 for v in row]
    values[index] = max(-32768, min(32767, values[index] + change))
    assert native.is_rotation(values) == Rotation.of(values).is_rotation()


@given(ANY_MATRIX)
def test_any_nine_values_are_judged_alike(native, matrix):
    assert native.is_rotation(matrix) == Rotation.of(matrix).is_rotation()
