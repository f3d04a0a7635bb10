"""Learns from people how their horizontal motion follows their vertical one; nothing of it runs on the board."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardwear.contract import ACC, to_counts
from hardwear.datasets import Recording
from hardwear.errors import DatasetError
from hardwear.wearable.calibration import (
    BLOCK_SAMPLES,
    STILL_CHUNK_SAMPLES,
    STILL_SAMPLES,
    UNIT_BITS,
    WALK_BLOCKS,
    DirectionModel,
    Matrix,
    correlations,
    is_still,
    project,
    upright_basis,
)
from hardwear.wearable.orientation import ONE

WALK_SAMPLES = BLOCK_SAMPLES * WALK_BLOCKS
RIDGE = 1.0
"""Against the weights' size, in stretches; 0.3 to 3 do as well on people left out."""
STRETCH_HOP_SAMPLES = 96
_SETTLED_SAMPLES = 25
WALKING, STANDING = 1, 5

Complex = npt.NDArray[np.complex128]
Int16Array = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Stretch:
    """One stretch of walking, with the heading of the recording's own axes known."""

    experiment: int
    user: int
    features: Complex
    """(36,): `correlations` over their scales, turned so that a heading of 1 + 0i is right."""
    axes: Complex
    """(2,): twice the angle of the principal axis of horizontal acceleration, and of horizontal angular rate; length 1
    where they have no other."""


def rest_start(recording: Recording, counts: Int16Array) -> int:
    """The first sample of the first three seconds in which the wearer stood still.

    Raises:
        DatasetError: There are none.
    """
    for segment in recording.segments:
        if segment.activity == STANDING:
            for start in range(segment.start + _SETTLED_SAMPLES, segment.stop - STILL_SAMPLES, _SETTLED_SAMPLES):
                rest = counts[start : start + STILL_SAMPLES]
                samples = [tuple(sample) for sample in rest.tolist()]
                chunks = [samples[k : k + STILL_CHUNK_SAMPLES] for k in range(0, STILL_SAMPLES, STILL_CHUNK_SAMPLES)]
                if all(map(is_still, (samples, *chunks))):
                    return start
    raise DatasetError(
        f"expected three seconds of standing still in experiment {recording.experiment}, got none; leave it out"
    )


def rest_of(recording: Recording, counts: Int16Array) -> Int16Array:
    """Those three seconds, (150, 6) of the recording's counts."""
    start = rest_start(recording, counts)
    return counts[start : start + STILL_SAMPLES]


def walks_of(recording: Recording, counts: Int16Array, hop: int = STRETCH_HOP_SAMPLES) -> Iterator[Int16Array]:
    """Stretches of level walking as long as the calibration's, (480, 6) each."""
    for segment in recording.segments:
        if segment.activity == WALKING:
            for start in range(segment.start, segment.stop - WALK_SAMPLES + 1, hop):
                yield counts[start : start + WALK_SAMPLES]


def blocks_of(walk: Int16Array) -> list[tuple[int, ...]]:
    """As the calibration averages them."""
    blocks = walk.astype(np.int64).reshape(-1, BLOCK_SAMPLES, walk.shape[1]).sum(axis=1)
    return [tuple(block) for block in ((blocks + 2) >> 2).tolist()]


def rest_sum(rest: Int16Array) -> tuple[int, int, int]:
    """Of the accelerometer's axes."""
    x, y, z = rest[:, ACC].astype(np.int64).sum(axis=0).tolist()
    return x, y, z


def stretches(recordings: Sequence[Recording]) -> list[Stretch]:
    """Every stretch of level walking of every recording."""
    found = []
    for recording in recordings:
        counts = to_counts(recording.samples)
        rest = rest_sum(rest_of(recording, counts))
        basis = upright_basis(rest)
        turn = np.exp(-1j * own_heading(basis, rest))
        for walk in walks_of(recording, counts):
            projected = project(basis, blocks_of(walk))
            told = correlations(projected)
            values = (told.sums[..., 0] + 1j * told.sums[..., 1]) / np.array(told.scales)[:, np.newaxis]
            horizontal = projected[:, [1, 4]] + 1j * projected[:, [2, 5]]
            axes = np.square(horizontal).sum(axis=0) / np.square(np.abs(horizontal)).sum(axis=0)
            found.append(Stretch(recording.experiment, recording.user, values.ravel() * turn, axes * turn**2))
    return found


def own_heading(basis: Matrix, rest: tuple[int, int, int]) -> float:
    """Where the recording's own y lies among the basis' horizontal axes, once its up was laid on x. Radians."""
    y = upright(np.array(rest, dtype=np.float64))[1]
    _, first, second = np.array(basis, dtype=np.float64) / 2**UNIT_BITS
    return float(np.arctan2(y @ second, y @ first))


def upright(up: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The smallest rotation that lays a vector, which is not -x, on x."""
    unit = up / np.linalg.norm(up)
    v = np.cross(unit, [1.0, 0.0, 0.0])
    skew = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.asarray(np.eye(3) + skew + skew @ skew / (1 + unit[0]))


def fit_weights(found: Sequence[Stretch]) -> Complex:
    """(36,): what makes weights . features 1 by least squares, each person counting the same."""
    features = np.array([s.features for s in found])
    users = np.array([s.user for s in found])
    everyone, counts = np.unique(users, return_counts=True)
    share = dict(zip(everyone.tolist(), (len(found) / len(everyone) / counts).tolist(), strict=True))
    weighted = features.conj().T * np.array([share[u] for u in users.tolist()])
    ridge = RIDGE * np.eye(features.shape[1])
    return np.asarray(np.linalg.solve(weighted @ features + ridge, weighted.sum(axis=1)))


def learn(recordings: Sequence[Recording], found: Sequence[Stretch]) -> DirectionModel:
    """Weights from stretches, tilt and gravity from the recordings' three seconds of standing still."""
    weights = np.rint(fit_weights(found).reshape(4, -1) * ONE)
    rests = [np.array(rest_sum(rest_of(r, to_counts(r.samples))), dtype=np.float64) for r in recordings]
    up = np.mean([rest / np.linalg.norm(rest) for rest in rests], axis=0)
    tilt = np.rint(upright(up).T * 2**UNIT_BITS).astype(np.int64)
    counts = np.mean([np.linalg.norm(rest) for rest in rests]) / STILL_SAMPLES
    return DirectionModel(
        tuple(tuple((int(w.real), int(w.imag)) for w in row) for row in weights),
        tuple(tuple(row) for row in tilt.tolist()),
        round(float(counts)),
    )


def headings(weights: Complex, found: Sequence[Stretch]) -> Complex:
    """What the weights make of stretches: 1 + 0i would be exact; the angle is the error."""
    return np.array([weights @ s.features for s in found])


def render_python(model: DirectionModel) -> str:
    """The module `direction_weights`."""
    lines = [
        '"""What people who walk have in common, for `calibration.DirectionModel`.',
        "",
        "Made by `tools/mounting_report.py --learn` from the 21 training subjects; do not edit.",
        '"""',
        "",
        "WEIGHTS = (",
    ]
    for row in model.weights:
        lines += ["    (", *(f"        ({a}, {b})," for a, b in row), "    ),"]
    lines += [")", "TILT = (", *(f"    ({', '.join(map(str, row))})," for row in model.tilt), ")"]
    return "\n".join([*lines, f"REST_COUNTS = {model.rest_counts}", ""])


def render_header(model: DirectionModel) -> str:
    """`firmware/core/direction_weights.h`."""
    rows = [f"    {{{', '.join(f'{{{a}, {b}}}' for a, b in row)}}}," for row in model.weights]
    return "\n".join(
        [
            "// What people who walk have in common. Made by `tools/mounting_report.py --learn` from the 21 training",
            "// subjects; do not edit.",
            "#pragma once",
            "",
            "#include <cstdint>",
            "",
            "namespace hardwear {",
            "",
            "// For each pair of a vertical and a horizontal signal, and each lag, a complex weight in Q14.",
            f"constexpr int16_t kDirectionWeights[{len(model.weights)}][{len(model.weights[0])}][2] = {{",
            *(wrapped for row in rows for wrapped in _wrap(row)),
            "};",
            "",
            "// From gravity on x to where gravity lies when they stand, Q20, row-major.",
            "constexpr int32_t kStandingTilt[3][3] = {",
            *(f"    {{{', '.join(map(str, row))}}}," for row in model.tilt),
            "};",
            "",
            "// What their accelerometer made of 1 g, in counts.",
            f"constexpr int16_t kRestCounts = {model.rest_counts};",
            "",
            "}  // namespace hardwear",
            "",
        ]
    )


def _wrap(row: str, width: int = 120) -> Iterator[str]:
    while len(row) > width:
        cut = row.rindex(" {", 0, width)
        yield row[:cut]
        row = "     " + row[cut + 1 :]
    yield row
