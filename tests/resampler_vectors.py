"""Reference vectors of the resampler and of the rate meter, made by Python.

`tests/reference_vectors.py` writes them to `tests/vectors/`; a test proves that what is committed is what it writes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hardwear.codegen.templating import braced, rows
from hardwear.wearable.rate_meter import RateMeter
from hardwear.wearable.resampling import StreamResampler, step_of_rate

SAMPLES = 72
STEPS = ((0, step_of_rate(119.0)), (30, step_of_rate(113.05)), (45, step_of_rate(130.9)), (60, 2**25 + 1))
"""From which sample on which step holds."""

NOMINAL_MILLIHERTZ = 119_000


@dataclass(frozen=True)
class Mark:
    """A drain of the FIFO."""

    time_us: int
    samples: int
    restart: bool = False


def counts() -> npt.NDArray[np.int16]:
    """(SAMPLES, 6) int16 without pattern, over the whole range, then from end to end of it: the output saturates."""
    state = 1
    values = []
    for _ in range(SAMPLES * 6):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append((state >> 16) - 2**15)
    out = np.array(values).reshape(SAMPLES, 6)
    turns = (np.arange(30, SAMPLES)[:, None] + 2 * np.arange(6)) // 9 % 2
    out[30:] = np.where(turns == 0, -(2**15), 2**15 - 1)
    return out.astype(np.int16)


def resampled() -> npt.NDArray[np.int16]:
    """(M, 6) int16, what `counts` come to with `STEPS`."""
    stream = StreamResampler(STEPS[0][1])
    ends = [*(start for start, _ in STEPS[1:]), SAMPLES]
    parts = []
    for (start, step), end in zip(STEPS, ends, strict=True):
        stream.set_step(step)
        parts.append(stream.push(counts()[start:end]))
    return np.concatenate(parts)


def marks() -> Iterator[Mark]:
    """A sensor 4 % fast, over the wrap of the clock; then lost samples, told and not told, and a long silence."""
    time, rate = 2**32 - 5_000_000, 123.76

    def drains(count: int, period_us: int) -> Iterator[Mark]:
        nonlocal time
        for _ in range(count):
            before, time = time, time + period_us
            yield Mark(time % 2**32, int(time * rate / 1e6) - int(before * rate / 1e6))

    yield from drains(12, 700_123)
    time += 400_000
    yield Mark(time % 2**32, 11, restart=True)
    yield from drains(4, 1_100_007)
    yield Mark((time := time + 2_100_000) % 2**32, 180)  # too few by a third
    yield from drains(3, 1_999_999)
    yield Mark((time := time + 60_000_001) % 2**32, 7)
    yield from drains(20, 2_345_678)
    yield Mark((time := time + 2_000_000) % 2**32, 0)


def render() -> dict[str, str]:
    """Every file of these vectors by its name."""
    out = [
        "// Made by tests/reference_vectors.py; do not edit. Samples in counts, steps times 2^24.",
        "#pragma once",
        "",
        "#include <cstdint>",
        "",
        "namespace vectors {",
        "",
        "struct StepFrom { int sample; uint32_t step; };",
        "const StepFrom kSteps[] = {",
        rows(map(braced, STEPS), 4),
        "};",
        "",
        f"const int16_t kAtSensorRate[{SAMPLES}][6] = {{",
        rows(map(braced, counts().tolist()), 2),
        "};",
        "",
        f"const int16_t kResampled[{len(resampled())}][6] = {{",
        rows(map(braced, resampled().tolist()), 2),
        "};",
        "",
        f"constexpr uint32_t kNominalMillihertz = {NOMINAL_MILLIHERTZ};",
        "struct RateMark {",
        "  bool restart; uint32_t time_us; uint32_t samples;  // what is told",
        "  uint32_t step; uint32_t millihertz; bool settled; bool plausible;  // what it says then",
        "};",
        "const RateMark kMarks[] = {",
        rows(_told(), 2),
        "};",
    ]
    return {"resampler.h": "\n".join([*out, "", "}  // namespace vectors", ""])}


def _told() -> Iterator[str]:
    meter = RateMeter(NOMINAL_MILLIHERTZ)
    for mark in marks():
        if mark.restart:
            meter.restart()
        meter.add(mark.time_us, mark.samples)
        told = (int(mark.restart), mark.time_us, mark.samples, meter.step, meter.millihertz)
        yield braced((*told, int(meter.settled), int(meter.plausible)))
