"""Reference vectors of the probabilities, made by Python: tables of exponentials, logits, and what they come to.

`tests/reference_vectors.py` writes them to `tests/vectors/`; a test proves that what is committed is what it writes.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from hardwear.codegen.templating import braced, rows
from hardwear.confidence import IntegerSoftmax

CASES = {
    "as a trained network, T = 1": IntegerSoftmax(0.0223),
    "as a trained network, T = 0.3": IntegerSoftmax(0.0223, 0.3),
    "wide logits, T = 2": IntegerSoftmax(0.12, 2.0),
    "nothing but the largest": IntegerSoftmax(1.0, 0.01),
    "nearly all alike": IntegerSoftmax(0.001, 100.0),
}

_CHOSEN = (
    (0, 0, 0, 0, 0, 0),
    (127, 127, 127, 127, 127, 127),
    (-128, -128, -128, -128, -128, -128),
    (127, -128, -128, -128, -128, -128),
    (-128, -128, -128, -128, -128, 127),
    (127, 127, -128, -128, -128, -128),
    (-128, 127, 127, 127, 127, 127),
    (10, 9, 8, 7, 6, 5),
    (-1, 0, 1, 0, -1, -2),
    (-89, -69, 31, -49, -103, -119),
)


def logits() -> npt.NDArray[np.int8]:
    """(74, 6) int8: chosen extremes and ties, then rows without pattern, wide and narrow."""
    patternless = np.array(list(_numbers(64 * 6))).reshape(64, 6)
    patternless[32:] //= 8
    return np.concatenate([np.array(_CHOSEN), patternless]).astype(np.int8)


def render() -> dict[str, str]:
    """Every file of these vectors by its name."""
    out = [
        "// Made by tests/reference_vectors.py; do not edit. Probabilities in 255ths, of int8 logits.",
        "#pragma once",
        "",
        "#include <cstdint>",
        "",
        "namespace vectors {",
        "",
        "struct SoftmaxRow { int8_t logits[6]; uint8_t probabilities[6]; };",
        f"struct SoftmaxCase {{ const char* name; uint16_t exponential[256]; SoftmaxRow rows[{len(logits())}]; }};",
        "",
        "const SoftmaxCase kSoftmax[] = {",
    ]
    for name, softmax in CASES.items():
        told = softmax.probabilities(logits())
        pairs = (f"{{{braced(row)}, {braced(q8)}}}" for row, q8 in zip(logits(), told, strict=True))
        out += [f'    {{"{name}",', "     {", rows(softmax.table, 16, 6), "     },", "     {"]
        out += [rows(pairs, 2, 6), "     }},"]
    return {"confidence.h": "\n".join([*out, "};", "", "}  // namespace vectors", ""])}


def _numbers(count: int) -> Iterator[int]:
    """A fixed sequence without pattern, -128 to 127."""
    state = 1
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        yield (state >> 24) - 128
