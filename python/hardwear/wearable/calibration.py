"""The guided calibration, in integers: twin of `firmware/core/calibration.h`.

Three seconds of standing still tell where up is and what the accelerometer makes of 1 g; ten seconds of walking tell
the heading about it: how the horizontal signals follow the vertical ones is nearly the same in everybody, so that the
one angle at which they fit is found, and with it the sign. docs/mounting.md says how well.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from math import isqrt

import numpy as np
import numpy.typing as npt

from hardwear.contract import CHANNEL_COUNT, COUNTS_PER_UNIT, INT16_MAX, INT16_MIN, SAMPLE_RATE_HZ
from hardwear.wearable import direction_weights
from hardwear.wearable.orientation import ONE, Mounting, Rotation

Int64Array = npt.NDArray[np.int64]
Matrix = tuple[tuple[int, ...], ...]


class CalibrationState(IntEnum):
    """As the calibration packet carries it."""

    IDLE = 0
    STAND_STILL = 1
    WALK = 2
    DONE = 3
    FAILED_MOVED = 4
    FAILED_GRAVITY = 5
    FAILED_NO_WALK = 6
    CANCELLED = 7


ADVICE: dict[CalibrationState, str] = {
    CalibrationState.IDLE: "start the calibration",
    CalibrationState.STAND_STILL: "stand still, upright, for three seconds",
    CalibrationState.WALK: "walk straight ahead on level ground for ten seconds, as you always do",
    CalibrationState.DONE: "done: the board knows how it is worn",
    CalibrationState.FAILED_MOVED: "the board moved for half a minute: fasten it, stand still, and start again",
    CalibrationState.FAILED_GRAVITY: "at rest the accelerometer reads more than 15 % off 1 g: start again without "
    "leaning on anything that shakes; if it stays so, the sensor is broken",
    CalibrationState.FAILED_NO_WALK: "no steady walk within three quarters of a minute: fasten the board to the belt, "
    "hands off, and walk straight ahead on level ground",
    CalibrationState.CANCELLED: "cancelled: what was known before still holds",
}
"""What the wearer should do in each state."""

STILL_CHUNK_SAMPLES = 25
STILL_CHUNKS = 6
STILL_SAMPLES = STILL_CHUNK_SAMPLES * STILL_CHUNKS
STAND_LIMIT_SAMPLES = 30 * SAMPLE_RATE_HZ
STILL_ACC_COUNTS = 410
"""0.05 g: the largest deviation, of three axes together, that is still."""
STILL_GYRO_COUNTS = 410
"""0.2 rad/s, likewise."""

BLOCK_SAMPLES = 4
"""Averaged into one: 12.5 a second are enough for a walk, and a step's jolt stays outside."""
CHUNK_BLOCKS = 12
WALK_BLOCKS = 120
WALK_LIMIT_SAMPLES = 45 * SAMPLE_RATE_HZ
WALK_ACC_COUNTS = 819
"""0.1 g: the least deviation, of three axes together, within each chunk of a walk."""
WALK_GYRO_COUNTS = 410
"""0.2 rad/s, likewise: who bobs on the spot or is driven over cobbles turns less."""
STEP_LAGS = range(4, 11)
"""Blocks from step to step: 0.32 to 0.8 s."""
RHYTHM_DIVISOR = 5
"""A walk repeats itself after one of `STEP_LAGS` with a correlation of at least 1/5."""
LAGS = range(-4, 5)
"""Blocks between what is vertical and what is horizontal."""
MIN_CERTAINTY = ONE // 4
"""The least length of what tells the heading; about 1 in a walk like that of others."""

ONE_G = int(COUNTS_PER_UNIT[0])
LOWEST_G, HIGHEST_G = ONE_G * 85 // 100, ONE_G * 115 // 100
"""What a sensor may make of 1 g: the LSM9DS1's offset alone is typically within 0.09 g."""
UNIT_BITS = 20
"""Fraction bits of unit vectors."""


@dataclass(frozen=True)
class DirectionModel:
    """What people who walk have in common; learnt from training subjects by `tools/mounting_report.py`."""

    weights: tuple[tuple[tuple[int, int], ...], ...]
    """(4, 9, 2), Q14: for each of `correlations`' rows, and each lag, a complex weight."""
    tilt: Matrix
    """(3, 3), Q20: from a frame with gravity on x to the frame in which their gravity lies when they stand."""
    rest_counts: int
    """What their accelerometer made of 1 g."""


DIRECTION_MODEL = DirectionModel(direction_weights.WEIGHTS, direction_weights.TILT, direction_weights.REST_COUNTS)


@dataclass
class Calibration:
    """From unrotated samples at 50 Hz to the board's mounting. Pure integers, equal bit for bit to the chip's."""

    model: DirectionModel = DIRECTION_MODEL
    state: CalibrationState = field(default=CalibrationState.IDLE, init=False)
    result: Mounting = field(default_factory=Mounting, init=False)
    """Plain until the state is DONE."""
    _elapsed: int = field(default=0, init=False)
    _pending: list[tuple[int, ...]] = field(default_factory=list, init=False)
    """Samples of the chunk that is standing, or of the block that is walking."""
    _rest: list[tuple[int, ...]] = field(default_factory=list, init=False)
    _blocks: list[tuple[int, ...]] = field(default_factory=list, init=False)

    def start(self) -> None:
        """Begin, or begin again, with standing still."""
        self.state = CalibrationState.STAND_STILL
        self.result = Mounting()
        self._elapsed = 0
        self._pending, self._rest, self._blocks = [], [], []

    def cancel(self) -> None:
        """Stop; without effect unless one is under way."""
        if self.state in (CalibrationState.STAND_STILL, CalibrationState.WALK):
            self.state = CalibrationState.CANCELLED

    @property
    def progress(self) -> int:
        """255ths of the current step: 0 before, 255 when done."""
        if self.state == CalibrationState.STAND_STILL:
            return 255 * (len(self._rest) + len(self._pending)) // STILL_SAMPLES
        if self.state == CalibrationState.WALK:
            return 255 * len(self._blocks) // WALK_BLOCKS
        return 255 if self.state == CalibrationState.DONE else 0

    def push(self, sample: npt.ArrayLike) -> CalibrationState:
        """Take one sample: six int16 counts in the board's own axes."""
        counts = tuple(int(v) for v in np.asarray(sample))
        if len(counts) != CHANNEL_COUNT:
            raise ValueError(f"expected {CHANNEL_COUNT} counts, got {len(counts)}")
        step: dict[CalibrationState, Callable[[tuple[int, ...]], None]] = {
            CalibrationState.STAND_STILL: self._stand,
            CalibrationState.WALK: self._walk,
        }
        if self.state in step:
            self._elapsed += 1
            step[self.state](counts)
        return self.state

    def _stand(self, sample: tuple[int, ...]) -> None:
        self._pending.append(sample)
        if len(self._pending) == STILL_CHUNK_SAMPLES:
            self._rest = [*self._rest, *self._pending] if is_still(self._pending) else []
            self._pending = []
        if len(self._rest) == STILL_SAMPLES:
            if is_still(self._rest):
                self._end_standing()
                return
            self._rest = []
        if self._elapsed == STAND_LIMIT_SAMPLES:
            self.state = CalibrationState.FAILED_MOVED

    def _end_standing(self) -> None:
        length = isqrt(sum(s * s for s in self._rest_sum()))
        if not LOWEST_G * STILL_SAMPLES <= length <= HIGHEST_G * STILL_SAMPLES:
            self.state = CalibrationState.FAILED_GRAVITY
            return
        self.state = CalibrationState.WALK
        self._elapsed = 0

    def _rest_sum(self) -> tuple[int, int, int]:
        x, y, z = (sum(sample[axis] for sample in self._rest) for axis in range(3))
        return x, y, z

    def _walk(self, sample: tuple[int, ...]) -> None:
        self._pending.append(sample)
        if len(self._pending) == BLOCK_SAMPLES:
            self._blocks.append(tuple((sum(channel) + 2) >> 2 for channel in zip(*self._pending, strict=True)))
            self._pending = []
            if len(self._blocks) % CHUNK_BLOCKS == 0 and not is_moving(self._blocks[-CHUNK_BLOCKS:]):
                self._blocks = []
        if len(self._blocks) == WALK_BLOCKS:
            found = mounting(self._rest_sum(), self._blocks, self.model)
            if found is not None:
                self.result = found
                self.state = CalibrationState.DONE
                return
            self._blocks = []
        if self._elapsed == WALK_LIMIT_SAMPLES:
            self.state = CalibrationState.FAILED_NO_WALK


def is_still(samples: list[tuple[int, ...]]) -> bool:
    """Neither sensor deviates from its mean by more than the limits, root mean square, three axes together."""
    return _spread(samples, 0) <= (len(samples) * STILL_ACC_COUNTS) ** 2 and (
        _spread(samples, 3) <= (len(samples) * STILL_GYRO_COUNTS) ** 2
    )


def is_moving(blocks: list[tuple[int, ...]]) -> bool:
    """Both sensors deviate from their means as much as in a walk."""
    return _spread(blocks, 0) >= (len(blocks) * WALK_ACC_COUNTS) ** 2 and (
        _spread(blocks, 3) >= (len(blocks) * WALK_GYRO_COUNTS) ** 2
    )


def _spread(samples: list[tuple[int, ...]], first: int) -> int:
    """The squared number of samples times the variance, three axes from `first` on together."""
    total = 0
    for axis in range(first, first + 3):
        values = [sample[axis] for sample in samples]
        total += len(values) * sum(v * v for v in values) - sum(values) ** 2
    return total


def mounting(rest: tuple[int, int, int], blocks: list[tuple[int, ...]], model: DirectionModel) -> Mounting | None:
    """What standing and walking come to.

    Args:
        rest: Sums of the accelerometer's axes over `STILL_SAMPLES` samples at rest.
        blocks: `WALK_BLOCKS` of six counts.
        model: What people have in common.

    Returns:
        The mounting; None if this is no walk, or not one that tells where the wearer goes.
    """
    basis = upright_basis(rest)
    projected = project(basis, blocks)
    if not has_rhythm(projected[:, 0]):
        return None
    real, imaginary = heading(correlations(projected), model)
    if real * real + imaginary * imaginary < MIN_CERTAINTY * MIN_CERTAINTY:
        return None
    length = isqrt(rest[0] ** 2 + rest[1] ** 2 + rest[2] ** 2)
    gain = rounded_quotient(model.rest_counts * STILL_SAMPLES * ONE, length)
    return Mounting(rotation(basis, real, imaginary, model.tilt), gain)


def rounded_quotient(numerator: int, denominator: int) -> int:
    """Rounded half up; the denominator is positive."""
    return (2 * numerator + denominator) // (2 * denominator)


def upright_basis(rest: tuple[int, int, int]) -> Matrix:
    """Up, and two horizontal axes that make a right-handed frame with it, in the board's axes, Q20."""
    up = _unit(rest)
    least = min(range(3), key=lambda axis: (abs(up[axis]), axis))
    helper = tuple(int(axis == least) for axis in range(3))
    first = _unit(_cross(up, helper))
    return up, first, _cross_q20(up, first)


def project(basis: Matrix, blocks: list[tuple[int, ...]]) -> Int64Array:
    """(n, 6) blocks, each channel without its mean, along the basis: acc up, first, second; gyro likewise."""
    values = np.array(blocks, dtype=np.int64)
    count = len(values)
    values -= (2 * values.sum(axis=0) + count) // (2 * count)
    along = values.reshape(count, 2, 3) @ np.array(basis, dtype=np.int64).T
    rounded = (along.reshape(count, CHANNEL_COUNT) + (1 << (UNIT_BITS - 1))) >> UNIT_BITS
    return np.asarray(np.clip(rounded, INT16_MIN, INT16_MAX))


def has_rhythm(up: Int64Array) -> bool:
    """The vertical acceleration repeats itself from step to step."""
    energy = int(up @ up)
    strongest = max(int(up[:-lag] @ up[lag:]) for lag in STEP_LAGS)
    return energy > 0 and RHYTHM_DIVISOR * strongest >= energy


@dataclass(frozen=True)
class Correlations:
    """How what is horizontal follows what is vertical."""

    sums: Int64Array
    """(4, 9, 2): acceleration after vertical acceleration, angular rate after it, acceleration after the rate about the
    vertical, angular rate after it; by lag; along the first and second horizontal axis."""
    scales: tuple[int, int, int, int]
    """What a sum of each row is at most."""


def correlations(projected: Int64Array) -> Correlations:
    """Of `project`'s signals."""
    count = len(projected)
    sums, scales = [], []
    for vertical in (0, 3):
        leader = projected[:, vertical]
        for horizontal in (1, 4):
            followers = projected[:, horizontal : horizontal + 2]
            sums.append(
                [
                    leader[max(0, -lag) : count - max(0, lag)] @ followers[max(0, lag) : count - max(0, -lag)]
                    for lag in LAGS
                ]
            )
            scales.append(max(1, isqrt(int(leader @ leader)) * isqrt(int((followers * followers).sum()))))
    a, b, c, d = scales
    return Correlations(np.array(sums, dtype=np.int64), (a, b, c, d))


def heading(found: Correlations, model: DirectionModel) -> tuple[int, int]:
    """UCI-HAR's y along the first and second horizontal axis, Q14, and as long as it is certain."""
    real = imaginary = 0
    for sums, weights, scale in zip(found.sums.tolist(), model.weights, found.scales, strict=True):
        pairs = list(zip(sums, weights, strict=True))
        real += rounded_quotient(sum(x * a - y * b for (x, y), (a, b) in pairs), scale)
        imaginary += rounded_quotient(sum(x * b + y * a for (x, y), (a, b) in pairs), scale)
    return real, imaginary


def rotation(basis: Matrix, real: int, imaginary: int, tilt: Matrix) -> Rotation:
    """The upright frame turned to the heading, then tilted as people's boards are."""
    up, first, second = basis
    length = isqrt(real * real + imaginary * imaginary)
    along, across = (rounded_quotient(v << UNIT_BITS, length) for v in (real, imaginary))
    y = tuple(_round_q20(along * a + across * b) for a, b in zip(first, second, strict=True))
    frame = (up, y, _cross_q20(up, y))
    shift = 2 * UNIT_BITS - 14
    rows = [
        (sum(tilt[i][k] * frame[k][j] for k in range(3)) + (1 << (shift - 1))) >> shift
        for i in range(3)
        for j in range(3)
    ]
    return Rotation.of(rows)


def _unit(vector: tuple[int, ...]) -> tuple[int, ...]:
    length = isqrt(sum(v * v for v in vector))
    return tuple(rounded_quotient(v << UNIT_BITS, length) for v in vector)


def _cross(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _cross_q20(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(_round_q20(v) for v in _cross(a, b))


def _round_q20(value: int) -> int:
    return (value + (1 << (UNIT_BITS - 1))) >> UNIT_BITS
