"""A seeded simulator of the six activities, for when there is neither data nor network.

It moves a phone on a waist through postures, transitions and gaits, and derives both sensors from that one motion: the
accelerometer sees gravity and the body's acceleration in the phone's frame, the gyroscope the rate at which that frame
turns. Then come the sensors' own faults. The recordings are raw: they go through the same conditioning as real ones.
Whatever is made from them is named SYNTHETIC and says nothing about people.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from hardwear.contract import HOP_SAMPLES, SAMPLE_RATE_HZ, WINDOW_SAMPLES
from hardwear.datasets.dataset import SYNTHETIC, Dataset
from hardwear.datasets.recording import Recording, Segment
from hardwear.datasets.uci_har import UCI_HAR
from hardwear.datasets.windowing import dataset_of_recordings

USERS = tuple(range(1, 31))
TEST_USERS = UCI_HAR.subjects["test"]
"""The same nine numbers as in UCI-HAR, so that settings which name subjects hold for both."""

FloatArray = npt.NDArray[np.float64]

WALKING, UPSTAIRS, DOWNSTAIRS, SITTING, STANDING, LAYING = range(1, 7)
_PROTOCOL = (STANDING, SITTING, LAYING, WALKING, DOWNSTAIRS, UPSTAIRS) * 2
_TRANSITIONS = {(STANDING, SITTING): 7, (SITTING, LAYING): 9, (LAYING, WALKING): 12}
"""HAPT's names for what lies between two activities; between gaits it has none."""


@dataclass(frozen=True)
class Gait:
    """One way of walking: a fundamental, the cadence, and how strong its harmonics are."""

    cadence_hz: float
    """Steps a second."""
    lean_deg: float
    """Forward lean relative to standing."""
    up_g: tuple[float, ...]
    """Amplitudes in g along the body's axis at 1/2, 1, 3/2, 2, 3 and 4 times the cadence (see `_HARMONICS`)."""
    side_g: tuple[float, ...]
    forward_g: tuple[float, ...]
    heading_rate: tuple[float, ...]
    """Amplitudes in rad/s of the pelvis' turning about the body's axis, then of its lean and tilt."""
    lean_rate: tuple[float, ...]
    tilt_rate: tuple[float, ...]


_HARMONICS = np.array([1, 2, 3, 4, 6, 8], dtype=np.float64)
"""In strides, of two steps each: odd ones tell the left from the right foot."""

GAITS = {
    WALKING: Gait(
        cadence_hz=1.80,
        lean_deg=3,
        up_g=(0.03, 0.22, 0.06, 0.08, 0.05, 0.03),
        side_g=(0.07, 0.09, 0.05, 0.05, 0.03, 0.02),
        forward_g=(0.06, 0.11, 0.03, 0.05, 0.03, 0.02),
        heading_rate=(0.42, 0.10, 0.12, 0.08, 0.06, 0.04),
        lean_rate=(0.28, 0.22, 0.16, 0.10, 0.08, 0.06),
        tilt_rate=(0.20, 0.15, 0.12, 0.07, 0.05, 0.03),
    ),
    UPSTAIRS: Gait(
        cadence_hz=1.65,
        lean_deg=9,
        up_g=(0.06, 0.24, 0.06, 0.06, 0.04, 0.02),
        side_g=(0.09, 0.10, 0.04, 0.04, 0.02, 0.01),
        forward_g=(0.11, 0.09, 0.04, 0.03, 0.02, 0.01),
        heading_rate=(0.32, 0.13, 0.10, 0.07, 0.05, 0.03),
        lean_rate=(0.42, 0.18, 0.12, 0.08, 0.06, 0.04),
        tilt_rate=(0.30, 0.15, 0.09, 0.07, 0.04, 0.03),
    ),
    DOWNSTAIRS: Gait(
        cadence_hz=1.90,
        lean_deg=0,
        up_g=(0.06, 0.31, 0.12, 0.13, 0.08, 0.05),
        side_g=(0.07, 0.09, 0.06, 0.07, 0.05, 0.03),
        forward_g=(0.07, 0.08, 0.04, 0.05, 0.04, 0.03),
        heading_rate=(0.34, 0.14, 0.16, 0.14, 0.09, 0.06),
        lean_rate=(0.24, 0.18, 0.17, 0.15, 0.11, 0.07),
        tilt_rate=(0.15, 0.15, 0.12, 0.11, 0.08, 0.05),
    ),
}
_CADENCE_LIMITS_HZ = (1.5, 2.2)
_COMMON_PHASE = np.random.default_rng(0).uniform(-np.pi, np.pi, (6, len(_HARMONICS)))
"""Radians, 6 signals x harmonics: what all people's strides have in common, drawn once and for all."""
_STAIR_PHASE = {WALKING: 0.0, UPSTAIRS: 0.8, DOWNSTAIRS: -0.8}
"""Radians: on stairs the foot meets the ground at another point of the stride."""

_ACC_STEP_G, _ACC_RANGE_G = 1 / 1024, 4.0
_GYRO_STEP, _GYRO_RANGE = 1 / 2048, 8.7  # rad/s
_ACC_NOISE_G, _GYRO_NOISE = 0.008, 0.012
_GLITCHES_PER_SAMPLE, _GLITCH_G = 1 / 1000, 0.5


def simulate_dataset(seed: int = 0) -> Dataset:
    """Windows of six simulated activities, 21 users for training and 9 for testing.

    Args:
        seed: Same seed, same windows on one machine.

    Returns:
        About 1,900 training and 800 test windows, named `SYNTHETIC`.
    """
    return dataset_of_recordings(SYNTHETIC, simulate_recordings(seed), TEST_USERS, f"simulator, seed {seed}")


def simulate_recordings(seed: int = 0) -> tuple[Recording, ...]:
    """Raw recordings of 30 simulated users at 50 Hz, one each of about 2.5 minutes, labelled like HAPT's.

    Args:
        seed: Same seed, same recordings on one machine.

    Returns:
        Recordings whose experiment number is the user's.
    """
    return tuple(_record(user, np.random.default_rng([seed, user])) for user in USERS)


@dataclass(frozen=True)
class _Posture:
    """How the phone is turned: gravity reads +1 g on x when both are zero."""

    lean: float
    """Radians about y, backward: gravity's reading moves from +x towards +z."""
    tilt: float
    """Radians about z, sideways: gravity's reading moves from +x towards -y."""

    def shifted(self, rng: np.random.Generator, lean_deg: float, tilt_deg: float, spread_deg: float) -> "_Posture":
        """Another posture that far from this one, give or take."""
        lean, tilt = np.radians(rng.normal([lean_deg, tilt_deg], spread_deg))
        return _Posture(self.lean + float(lean), self.tilt + float(tilt))


@dataclass(frozen=True)
class _Bout:
    """One activity without a break, and the gap before it."""

    activity: int
    gap: int
    """Samples of transition or pause before `start`."""
    start: int
    stop: int
    posture: _Posture


class _User:
    """What stays the same about a person."""

    def __init__(self, rng: np.random.Generator):
        self.standing = _Posture(*np.radians(rng.normal([-3.0, 9.0], [7.0, 5.0])).tolist())
        self.sitting = self.standing.shifted(rng, lean_deg=11, tilt_deg=-18, spread_deg=6)
        self.laying = _Posture(*np.radians(rng.normal([84.0, -38.0], [6.0, 14.0])).tolist())
        self.cadence = rng.normal(1.0, 0.05)
        self.vigour = rng.lognormal(0.0, 0.12)
        self.stillness = rng.lognormal(0.0, 0.3)
        # Everybody has a way of walking, not far from everybody else's, and keeps most of it on stairs.
        shape = (6, len(_HARMONICS))
        self.strength = rng.lognormal(0.0, 0.2, shape)
        self.phase = _COMMON_PHASE + rng.normal(0.0, 0.35, shape)

    def posture(self, activity: int, rng: np.random.Generator) -> _Posture:
        """How the phone is turned in one bout; no two are quite alike."""
        if activity == SITTING:
            return self.sitting.shifted(rng, 0, 0, spread_deg=3)
        if activity == LAYING:
            return self.laying.shifted(rng, 0, 0, spread_deg=4)
        lean = GAITS[activity].lean_deg if activity in GAITS else 0.0
        return self.standing.shifted(rng, -lean, 0, spread_deg=2)


def _record(number: int, rng: np.random.Generator) -> Recording:
    user = _User(rng)
    bouts = _plan(user, rng)
    length = bouts[-1].stop + SAMPLE_RATE_HZ
    lean, tilt = _postures(bouts, length)
    heading = np.zeros(length)
    body_g = np.zeros((length, 3))
    for bout in bouts:
        window, envelope = _envelope(bout, length)
        motion = _gait(bout, user, len(envelope), rng) if bout.activity in GAITS else _sway(user, len(envelope), rng)
        body_g[window] += envelope[:, None] * motion.acceleration_g
        heading[window] += envelope * motion.angles[:, 0]
        lean[window] += envelope * motion.angles[:, 1]
        tilt[window] += envelope * motion.angles[:, 2]
    frame = Rotation.from_euler("ZYX", np.column_stack([tilt, lean, heading]))
    gravity = frame.inv().apply([1.0, 0.0, 0.0])
    turned = frame[:-1].inv() * frame[1:]
    rate = np.vstack([turned.as_rotvec(), np.zeros((1, 3))]) * SAMPLE_RATE_HZ
    return Recording(
        experiment=number,
        user=number,
        acc=_accelerometer(gravity + body_g, rng),
        gyro=_gyroscope(rate, rng),
        segments=tuple(_segments(bouts)),
    )


def _plan(user: _User, rng: np.random.Generator) -> list[_Bout]:
    bouts = []
    end = 0
    for activity in _PROTOCOL:
        gap = int(rng.integers(2 * SAMPLE_RATE_HZ, 4 * SAMPLE_RATE_HZ))
        windows = int(rng.integers(7, 9))
        start = end + gap
        end = start + WINDOW_SAMPLES + (windows - 1) * HOP_SAMPLES + int(rng.integers(HOP_SAMPLES))
        bouts.append(_Bout(activity, gap, start, end, user.posture(activity, rng)))
    return bouts


def _segments(bouts: list[_Bout]) -> Iterator[Segment]:
    yield Segment(bouts[0].activity, bouts[0].start, bouts[0].stop)
    for before, bout in pairwise(bouts):
        transition = _TRANSITIONS.get((before.activity, bout.activity))
        if transition is not None:
            yield Segment(transition, before.stop, bout.start)
        yield Segment(bout.activity, bout.start, bout.stop)


def _postures(bouts: list[_Bout], length: int) -> tuple[FloatArray, FloatArray]:
    """(N,) lean and tilt: each bout's posture, and a minimum-jerk way (Flash and Hogan 1985) from one to the next."""
    lean = np.full(length, bouts[0].posture.lean)
    tilt = np.full(length, bouts[0].posture.tilt)
    for before, bout in pairwise(bouts):
        t = np.linspace(0.0, 1.0, bout.gap)
        way = t**3 * (10 - 15 * t + 6 * t**2)
        for angle, old, new in (
            (lean, before.posture.lean, bout.posture.lean),
            (tilt, before.posture.tilt, bout.posture.tilt),
        ):
            angle[before.stop : bout.start] = old + (new - old) * way
            angle[bout.start :] = new
    return lean, tilt


def _envelope(bout: _Bout, length: int) -> tuple[slice, FloatArray]:
    """Where a bout's motion acts, and how strongly: it sets in and fades within a second outside the bout."""
    ramp = np.sin(np.linspace(0.0, np.pi / 2, SAMPLE_RATE_HZ)) ** 2
    first, last = bout.start - SAMPLE_RATE_HZ, min(bout.stop + SAMPLE_RATE_HZ, length)
    envelope = np.concatenate([ramp, np.ones(bout.stop - bout.start), ramp[::-1]])
    return slice(first, last), envelope[: last - first]


@dataclass(frozen=True)
class _Motion:
    acceleration_g: FloatArray
    """(N, 3) up, side, forward, without gravity."""
    angles: FloatArray
    """(N, 3) radians: heading, lean, tilt, about the posture."""


def _gait(bout: _Bout, user: _User, length: int, rng: np.random.Generator) -> _Motion:
    gait = GAITS[bout.activity]
    cadence = np.clip(gait.cadence_hz * user.cadence * rng.normal(1.0, 0.02), *_CADENCE_LIMITS_HZ)
    # Nobody is a metronome: the cadence wanders by 3 %, the vigour by 10 %, each within about two steps.
    stride_hz = cadence / 2 * (1 + 0.03 * _wander(rng, length, 1.0))
    stride = 2 * np.pi * (np.cumsum(stride_hz) / SAMPLE_RATE_HZ + rng.uniform())
    amplitudes = np.array(
        [gait.up_g, gait.side_g, gait.forward_g, gait.heading_rate, gait.lean_rate, gait.tilt_rate], dtype=np.float64
    )
    amplitudes *= user.vigour * user.strength * rng.lognormal(0.0, 0.15, amplitudes.shape)
    phases = user.phase + _STAIR_PHASE[bout.activity] + rng.normal(0.0, 0.2, amplitudes.shape)
    waves = np.sin(stride[:, None, None] * _HARMONICS + phases)
    waves *= 1 + 0.1 * np.stack([_wander(rng, length, 1.0) for _ in range(6)], axis=1)[:, :, None]
    linear = (waves[:, :3] * amplitudes[:3]).sum(axis=2) + _sway(user, length, rng).acceleration_g
    # A rate of amplitude a at angular frequency w is the derivative of an angle of amplitude a/w.
    angular = (waves[:, 3:] * amplitudes[3:] / (np.pi * cadence * _HARMONICS)).sum(axis=2)
    return _Motion(linear, angular + _sway(user, length, rng).angles)


def _sway(user: _User, length: int, rng: np.random.Generator) -> _Motion:
    """What a body does that does nothing: sway, breath, small corrections."""
    jitter = np.stack([_wander(rng, length, 0.15) for _ in range(3)], axis=1) * [0.002, 0.003, 0.004]
    slow = np.stack([_wander(rng, length, 0.6) for _ in range(3)], axis=1) * [0.012, 0.007, 0.005]
    breath = 0.003 * np.sin(2 * np.pi * 0.25 * np.arange(length) / SAMPLE_RATE_HZ + rng.uniform(0, 2 * np.pi))
    angles = slow * user.stillness + breath[:, None] * [0, 1, 0]
    return _Motion(jitter * user.stillness, angles)


def _wander(rng: np.random.Generator, length: int, seconds: float) -> FloatArray:
    """(N,) smooth noise of unit deviation that forgets itself after about `seconds`."""
    sigma = seconds * SAMPLE_RATE_HZ
    # A Gaussian smoother of deviation sigma leaves 1 / (2 sqrt(pi) sigma) of white noise's variance.
    smooth = gaussian_filter1d(rng.normal(size=length), sigma, mode="wrap")
    return np.asarray(smooth * np.sqrt(2 * np.sqrt(np.pi) * sigma))


def _accelerometer(true_g: FloatArray, rng: np.random.Generator) -> FloatArray:
    offset, scale = rng.normal(0.0, 0.01, 3), rng.normal(1.0, 0.005, 3)
    noisy = true_g * scale + offset + rng.normal(0.0, _ACC_NOISE_G, true_g.shape)
    # Single wrong samples, which real phones deliver too, and which the median is there for.
    noisy += rng.choice([-_GLITCH_G, 0.0, _GLITCH_G], true_g.shape, p=_glitch_odds())
    return _digitise(noisy, _ACC_STEP_G, _ACC_RANGE_G)


def _gyroscope(true_rate: FloatArray, rng: np.random.Generator) -> FloatArray:
    noisy = true_rate + rng.normal(0.0, 0.02, 3) + rng.normal(0.0, _GYRO_NOISE, true_rate.shape)
    return _digitise(noisy, _GYRO_STEP, _GYRO_RANGE)


def _digitise(values: FloatArray, step: float, limit: float) -> FloatArray:
    return np.asarray(np.clip(np.rint(values / step) * step, -limit, limit))


def _glitch_odds() -> list[float]:
    return [_GLITCHES_PER_SAMPLE / 2, 1 - _GLITCHES_PER_SAMPLE, _GLITCHES_PER_SAMPLE / 2]
