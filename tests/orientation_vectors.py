"""Reference vectors of the mounting, made by Python: samples straightened, and a wearer's way through the calibration.

`tests/reference_vectors.py` writes them to `tests/vectors/`; a test proves that what is committed is what it writes.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation as Turn

from hardwear.codegen.templating import braced, rows
from hardwear.wearable.calibration import Calibration
from hardwear.wearable.orientation import IDENTITY, Mounting, Rotation, straighten
from wearer import mounted, standing, walking

MOUNTINGS = {
    "plain": Mounting(),
    "upside down": Mounting(Rotation.of_matrix(np.diag([-1.0, -1.0, 1.0]))),
    "on its edge, gain 1.1": Mounting(Rotation.of_matrix([[0, 0, 1], [1, 0, 0], [0, 1, 0]]), 18022),
    "any, gain 0.9": Mounting(Rotation.of_matrix(Turn.from_rotvec([0.7, -1.9, 0.4]).as_matrix()), 14746),
    "no rotation: all at their limits": Mounting(Rotation.of([32767, -32768, 32767] * 3), 65535),
}
NO_ROTATIONS = {
    "mirrored": Rotation.of_matrix(np.diag([1.0, 1.0, -1.0])),
    "zero": Rotation.of([0] * 9),
    "stretched by half a per cent": Rotation.of([16466, 0, 0, 0, 16384, 0, 0, 0, 16384]),
    "sheared by half a degree": Rotation.of([16384, 143, 0, 0, 16384, 0, 0, 0, 16384]),
}
_EXTREMES = (
    (32767, 32767, 32767, 32767, 32767, 32767),
    (-32768, -32768, -32768, -32768, -32768, -32768),
    (-32768, 32767, -32768, 32767, -32768, 32767),
    (0, 0, 0, 0, 0, 0),
    (1, -1, 1, -1, 1, -1),
)
BOARD = Turn.from_rotvec([1.1, 0.6, -2.0]).as_matrix()
"""How the wearer of the vectors mounted the board."""


def samples() -> npt.NDArray[np.int16]:
    """(21, 6) int16: chosen extremes, then rows without pattern."""
    return np.concatenate([np.array(_EXTREMES), np.array(list(_numbers(16 * 6))).reshape(16, 6)]).astype(np.int16)


def wearing() -> npt.NDArray[np.int16]:
    """Stands with a start in between, waits, and walks."""
    start = standing(10, seed=1) + 3000.0
    parts = [standing(60, seed=2), start, standing(165, seed=3), standing(40, seed=4), walking(520, seed=5)]
    return mounted(np.concatenate(parts), BOARD)


def render() -> dict[str, str]:
    """Every file of these vectors by its name."""
    shown = samples()
    out = [
        "// Made by tests/reference_vectors.py; do not edit. How a board is worn: samples straightened, a calibration.",
        "#pragma once",
        "",
        "#include <cstdint>",
        "",
        "namespace vectors {",
        "",
        f"const int16_t kWorn[{len(shown)}][6] = {{",
        rows((braced(row) for row in shown), 2, 4),
        "};",
        "",
        "struct MountingCase {",
        f"  const char* name; int16_t q14[9]; uint16_t gain; int16_t straight[{len(shown)}][6];",
        "};",
        "",
        "const MountingCase kMountings[] = {",
    ]
    for name, mounting in MOUNTINGS.items():
        out += [f'    {{"{name}", {braced(_flat(mounting.rotation))}, {mounting.acc_gain_q14},', "     {"]
        out += [rows((braced(row) for row in straighten(mounting, shown)), 2, 6), "     }},"]
    out += [
        "};",
        "",
        "struct NoRotation { const char* name; int16_t q14[9]; };",
        "",
        "const NoRotation kNoRotations[] = {",
    ]
    out += [f'    {{"{name}", {braced(_flat(rotation))}}},' for name, rotation in NO_ROTATIONS.items()]
    out += ["};", "", *_calibration(), "", "}  // namespace vectors", ""]
    return {"orientation.h": "\n".join(out)}


def _calibration() -> Iterator[str]:
    counts = wearing()
    calibration = Calibration()
    calibration.start()
    told = [(int(calibration.push(sample)), calibration.progress) for sample in counts]
    assert calibration.result.rotation != IDENTITY, "the wearer of the vectors must be understood"
    yield "// A wearer: samples, then state and progress after each, then what was found."
    yield f"const int16_t kWearing[{len(counts)}][6] = {{"
    yield rows((braced(row) for row in counts), 2, 4)
    yield "};"
    yield f"const uint8_t kWearingTold[{len(told)}][2] = {{"
    yield rows((braced(pair) for pair in told), 10, 4)
    yield "};"
    yield f"const int16_t kWearingRotation[9] = {braced(_flat(calibration.result.rotation))};"
    yield f"const uint16_t kWearingGain = {calibration.result.acc_gain_q14};"


def _flat(rotation: Rotation) -> list[int]:
    return [value for row in rotation.q14 for value in row]


def _numbers(count: int) -> Iterator[int]:
    """A fixed sequence without pattern, -32768 to 32767."""
    state = 7
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        yield (state >> 16) - 32768
