"""Reference vectors of the motion sensors, made by Python: every range's multiplier, and samples decoded.

`tests/reference_vectors.py` writes them to `tests/vectors/`; a test proves that what is committed is what it writes.
"""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from hardwear.codegen.templating import braced
from hardwear.contract import COUNTS_PER_UNIT
from hardwear.wearable.sensors import SENSORS, Sensor, multiplier, to_counts

_EXTREMES = (
    (32767, 32767, 32767, 32767, 32767, 32767),
    (-32768, -32768, -32768, -32768, -32768, -32768),
    (-32768, 32767, -32768, 32767, -32768, 32767),
    (1, -1, 2, 1, -1, 2),
    (0, 0, 0, 0, 0, 0),
    # The last steps within the contract's angular rates, and the first beyond them.
    (13095, -13096, 13097, 13096, -13096, 13097),
    (30037, -30038, 30039, 30038, -30039, 30040),
)


def steps() -> npt.NDArray[np.int16]:
    """(39, 6) int16: chosen extremes, then rows without pattern."""
    return np.concatenate([np.array(_EXTREMES), np.array(list(_numbers(32 * 6))).reshape(32, 6)]).astype(np.int16)


def multipliers(sensor: Sensor) -> Iterator[tuple[str, int, int]]:
    """Quantity, full scale and counts per step times 2^24 of every range."""
    for entry in sensor.accelerations:
        yield "kAcceleration", entry.full_scale, multiplier(entry.units_per_step * float(COUNTS_PER_UNIT[0]))
    for entry in sensor.rates:
        per_step = entry.units_per_step * (math.pi / 180 * float(COUNTS_PER_UNIT[3]))
        yield "kRate", entry.full_scale, multiplier(per_step)


def render() -> dict[str, str]:
    """Every file of these vectors by its name."""
    out = [
        "// Made by tests/reference_vectors.py; do not edit. Motion sensors' steps, on the board as counts.",
        "#pragma once",
        "",
        "#include <cstdint>",
        "",
        '#include "sensors/scales.h"',
        "",
        "namespace vectors {",
        "",
        "struct RangeRow {",
        "  hardwear::Part part;",
        "  hardwear::Quantity quantity;",
        "  uint16_t full_scale;",
        "  int32_t multiplier;",
        "};",
        "constexpr RangeRow kRanges[] = {",
    ]
    for sensor in SENSORS:
        part = f"hardwear::Part::k{sensor.name.capitalize()}"
        out += [
            f"    {{{part}, hardwear::Quantity::{quantity}, {full_scale}, {value}}},"
            for quantity, full_scale, value in multipliers(sensor)
        ]
    out += ["};", "", "struct DecodedRow {", "  int16_t steps[6];", "  int16_t counts[6];", "};"]
    for sensor in SENSORS:
        out.append(f"constexpr DecodedRow k{sensor.name.capitalize()}Decoded[] = {{")
        pairs = zip(steps(), to_counts(sensor, steps()), strict=True)
        out += [f"    {{{braced(raw)}, {braced(counts)}}}," for raw, counts in pairs]
        out.append("};")
    return {"sensors.h": "\n".join([*out, "", "}  // namespace vectors", ""])}


def _numbers(count: int) -> Iterator[int]:
    """A fixed sequence without pattern, -32,768 to 32,767."""
    state = 5
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        yield (state >> 16) - 32768
