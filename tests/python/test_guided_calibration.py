"""The guided calibration: what it asks of its wearer, what it finds, and the chip's integers against Python's."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation as Turn

from hardwear.contract import to_counts
from hardwear.wearable import direction_weights
from hardwear.wearable.calibration import (
    ADVICE,
    DIRECTION_MODEL,
    STAND_LIMIT_SAMPLES,
    STILL_SAMPLES,
    WALK_LIMIT_SAMPLES,
    Calibration,
    CalibrationState,
)
from hardwear.wearable.direction_learning import (
    fit_weights,
    headings,
    learn,
    render_header,
    render_python,
    rest_of,
    stretches,
    walks_of,
)
from hardwear.wearable.orientation import IDENTITY, ONE, Mounting
from native import ROOT, Native, build_library
from wearer import mounted, standing, walking

STAND, WALK, DONE = CalibrationState.STAND_STILL, CalibrationState.WALK, CalibrationState.DONE
AS_WORN = np.eye(3)


@pytest.fixture(scope="module")
def native() -> Native:
    return build_library()


def calibrate(
    samples: np.ndarray, calibration: Calibration | None = None
) -> tuple[Calibration, list[CalibrationState]]:
    calibration = calibration or Calibration()
    calibration.start()
    return calibration, [calibration.push(sample) for sample in samples]


def wearing(*parts: np.ndarray, board: np.ndarray = AS_WORN) -> np.ndarray:
    return mounted(np.concatenate(parts), board)


def degrees_off(found: Mounting, board: np.ndarray) -> float:
    return float(np.degrees(Turn.from_matrix(found.rotation.matrix() @ board).magnitude()))


@pytest.mark.parametrize("seed", range(20))
def test_any_mounting_is_found(seed):
    board = Turn.random(rng=np.random.default_rng(seed)).as_matrix()
    calibration, states = calibrate(wearing(standing(), walking(480, seed), board=board))
    assert states[-1] == DONE
    assert calibration.result.rotation.is_rotation()
    assert degrees_off(calibration.result, board) < 0.5


@pytest.mark.parametrize(("one_g", "gain"), [(8192, 1.0320), (7100, 1.1907), (9300, 0.9090)])
def test_the_gain_makes_a_resting_board_read_what_the_training_data_read(one_g, gain):
    calibration, _ = calibrate(wearing(standing(one_g=one_g), walking(480, one_g=one_g)))
    assert calibration.result.acc_gain_q14 / ONE == pytest.approx(gain, abs=5e-4)


def test_the_step_is_told_with_its_progress():
    samples = wearing(standing(), walking(480))
    calibration = Calibration()
    assert (calibration.state, calibration.progress) == (CalibrationState.IDLE, 0)
    calibration.start()
    told = []
    for sample in samples:
        told.append((calibration.state, calibration.progress))
        calibration.push(sample)
    assert told[0] == (STAND, 0)
    assert told[75] == (STAND, 127)
    assert told[150] == (WALK, 0)
    assert told[150 + 240] == (WALK, 127)
    assert (calibration.state, calibration.progress) == (DONE, 255)


def test_moving_begins_the_three_seconds_anew():
    moving = standing(10) + 2000.0
    samples = wearing(standing(120), moving, standing(200))
    _, states = calibrate(samples)
    assert states.index(WALK) == 125 + 25 + STILL_SAMPLES - 1


def test_slow_leaning_is_not_standing_still():
    angles = np.linspace(0, np.radians(12), STAND_LIMIT_SAMPLES // 10)
    leaning = standing(len(angles))
    leaning[:, 0], leaning[:, 2] = 8192 * np.cos(angles), 8192 * np.sin(angles)
    _, states = calibrate(wearing(leaning))
    assert states[-1] == STAND


def test_who_never_stands_still_is_told():
    calibration, states = calibrate(wearing(walking(STAND_LIMIT_SAMPLES + 1)))
    assert states[-3:] == [STAND, CalibrationState.FAILED_MOVED, CalibrationState.FAILED_MOVED]
    assert calibration.progress == 0


@pytest.mark.parametrize("one_g", [6900, 9500])
def test_a_sensor_that_is_far_off_one_g_is_told(one_g):
    _, states = calibrate(wearing(standing(one_g=one_g)))
    assert states[-1] == CalibrationState.FAILED_GRAVITY


def test_a_sensor_that_reads_nothing_is_told():
    _, states = calibrate(np.zeros((200, 6), dtype=np.int16))
    assert states[-1] == CalibrationState.FAILED_GRAVITY


def test_waiting_before_the_walk_and_a_stop_in_it_cost_nothing_but_time():
    samples = wearing(standing(), standing(300, 1), walking(200, 2), standing(100, 3), walking(600, 4))
    calibration, states = calibrate(samples)
    assert states[-1] == DONE
    assert degrees_off(calibration.result, AS_WORN) < 0.5


def test_who_never_walks_is_told():
    calibration, states = calibrate(wearing(standing(), standing(WALK_LIMIT_SAMPLES, 1)))
    assert states[-2:] == [WALK, CalibrationState.FAILED_NO_WALK]
    assert calibration.result == Mounting()


def test_shaking_is_no_walk():
    shaken = standing(WALK_LIMIT_SAMPLES, 1)
    shaken += np.random.default_rng(0).standard_normal(shaken.shape) * 3000
    _, states = calibrate(wearing(standing(), shaken))
    assert states[-1] == CalibrationState.FAILED_NO_WALK


def test_bobbing_on_the_spot_tells_no_heading():
    bobbing = standing(WALK_LIMIT_SAMPLES, 1)
    bobbing[:, 0] += 2500 * np.sin(2 * np.pi * 1.9 * np.arange(len(bobbing)) / 50)
    _, states = calibrate(wearing(standing(), bobbing))
    assert states[-1] == CalibrationState.FAILED_NO_WALK


def test_cancelling_keeps_nothing_and_start_begins_anew():
    samples = wearing(standing(), walking(480))
    calibration, _ = calibrate(samples[:300])
    calibration.cancel()
    assert calibration.state == CalibrationState.CANCELLED
    assert calibration.push(samples[0]) == CalibrationState.CANCELLED
    _, states = calibrate(samples, calibration)
    assert states[-1] == DONE
    calibration.cancel()
    assert calibration.state == DONE, "what is done can't be cancelled"
    assert calibration.result.rotation != IDENTITY


def test_every_state_comes_with_advice():
    assert set(ADVICE) == set(CalibrationState)


def test_a_sample_has_six_counts():
    calibration = Calibration()
    calibration.start()
    with pytest.raises(ValueError, match="expected 6 counts, got 3"):
        calibration.push([1, 2, 3])


# -- the chip -------------------------------------------------------------------------------------------------------


def assert_the_chip_agrees(native: Native, samples: np.ndarray) -> CalibrationState:
    calibration = Calibration()
    calibration.start()
    states, progress = [], []
    for sample in samples:
        states.append(int(calibration.push(sample)))
        progress.append(calibration.progress)
    chip = native.calibrate(samples)
    assert chip.states.tolist() == states
    assert chip.progress.tolist() == progress
    assert chip.matrix.tolist() == [v for row in calibration.result.rotation.q14 for v in row]
    assert chip.gain == calibration.result.acc_gain_q14
    return calibration.state


PART = st.tuples(st.sampled_from(("stand", "walk", "shake")), st.integers(1, 700), st.integers(0, 2**16))


def acted(parts: Sequence[tuple[str, int, int]]) -> np.ndarray:
    acts = {
        "stand": standing,
        "walk": walking,
        "shake": lambda n, seed: np.random.default_rng(seed).normal(0, 1500, (n, 6)) + standing(n, seed),
    }
    return np.concatenate([acts[what](samples, seed) for what, samples, seed in parts])


@settings(max_examples=60)
@given(
    st.lists(PART, max_size=4),
    st.lists(st.floats(-4, 4), min_size=3, max_size=3),
    st.floats(0.83, 1.17),
)
def test_the_chip_finds_the_same_to_the_bit_whatever_the_wearer_does(native, parts, turn, gain):
    script = [("stand", STILL_SAMPLES, 0), *parts, ("walk", 700, 1)]
    board = gain * Turn.from_rotvec(turn).as_matrix()
    assert_the_chip_agrees(native, mounted(acted(script), board))


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from((1, 300, 3000, 32767)))
def test_the_chip_agrees_on_any_samples_at_all(native, seed, height):
    drawn = np.random.default_rng(seed)
    rest = np.tile(drawn.integers(-9000, 9000, 6), (STILL_SAMPLES, 1))
    rest[:, :3] = np.round(rest[:, :3] * 8192 / max(1.0, float(np.linalg.norm(rest[0, :3]))))
    wild = drawn.integers(-height, height + 1, (WALK_LIMIT_SAMPLES + 10, 6))
    # A rhythm at full scale: the largest sums that a walk can come to.
    square = height * np.sign(np.sin(2 * np.pi * 2 * np.arange(len(wild)) / 50 + 0.1))[:, np.newaxis]
    signs = drawn.choice([-1, 1], 6)
    for walk in (wild, square * signs, square * signs + wild // 4):
        samples = np.concatenate([rest, np.clip(walk, -32768, 32767)]).astype(np.int16)
        assert_the_chip_agrees(native, samples)


# -- people ---------------------------------------------------------------------------------------------------------


def test_what_was_learnt_is_the_same_in_both_languages():
    header = (ROOT / "firmware" / "core" / "direction_weights.h").read_text()
    assert header == render_header(DIRECTION_MODEL)
    module = (ROOT / "python" / "hardwear" / "wearable" / "direction_weights.py").read_text()
    assert module == render_python(DIRECTION_MODEL)
    assert direction_weights.WEIGHTS is DIRECTION_MODEL.weights


@pytest.mark.data
def test_the_weights_are_what_the_training_subjects_teach(hapt, uci_har):
    training = [r for r in hapt if r.user not in set(uci_har.test.subjects.tolist())]
    taught = learn(training, stretches(training))
    assert np.abs(np.array(taught.weights) - np.array(DIRECTION_MODEL.weights)).max() <= 1
    assert np.abs(np.array(taught.tilt) - np.array(DIRECTION_MODEL.tilt)).max() <= 1
    assert taught.rest_counts == DIRECTION_MODEL.rest_counts


@pytest.mark.data
def test_people_left_out_are_never_turned_the_wrong_way_round(hapt, uci_har):
    training = [r for r in hapt if r.user not in set(uci_har.test.subjects.tolist())]
    found = stretches(training)
    errors = []
    for user in {s.user for s in found}:
        weights = fit_weights([s for s in found if s.user != user])
        errors += list(np.angle(headings(weights, [s for s in found if s.user == user]), deg=True))
    assert np.abs(errors).max() < 90
    assert np.sqrt(np.mean(np.square(errors))) < 16


@pytest.mark.data
def test_the_chip_calibrates_on_people_to_the_bit(native, hapt):
    board = Turn.from_rotvec([2.0, 0.3, -1.0]).as_matrix()
    for recording in hapt[::7]:
        counts = to_counts(recording.samples)
        walk = next(iter(walks_of(recording, counts)))
        samples = mounted(np.concatenate([rest_of(recording, counts), walk]).astype(np.float64), board)
        assert assert_the_chip_agrees(native, samples) == DONE
