"""What flags, faults and matrices mean, in words."""

import math
from collections.abc import Sequence

from hardwear.wearable.packets import Flag

FLAG_WORDS: dict[Flag, str] = {
    Flag.UNCALIBRATED: "not calibrated: what it says holds only if its x axis points up (hardwear calibrate)",
    Flag.IMU_FAILING: "the motion sensor is absent or does not answer",
    Flag.IMU_FROZEN: "the motion sensor gives the same numbers for ever: press reset",
    Flag.SAMPLES_LOST: "samples were lost before this window",
    Flag.KNOWN_ANSWER_FAILED: "the known-answer test failed: it disagrees with Python; build and flash again",
    Flag.LOW_MEMORY: "little memory is left",
    Flag.WATCHDOG_RESET: "it was stuck before its last start",
    Flag.SLEPT: "it sleeps until it is moved, or has just woken",
}
"""What each flag means to the wearer, and what to do."""

_FAULT_WORDS = (
    "no motion sensor found",
    "the motion sensor does not answer",
    "the motion sensor gives the same numbers for ever",
    "the motion sensor's rate is more than a tenth off",
    "the known-answer test failed: it does not predict",
    "little memory is left",
    "it was stuck before its last start",
    "its settings could not be read or written",
)
"""By bit of `fault` in `firmware/core/wearable.h`."""

_AXES = ("x", "y", "z")


def flag_names(flags: Flag) -> list[str]:
    """Names for machines: `uncalibrated`, `imu_frozen` and so on."""
    return [str(flag.name).lower() for flag in Flag if flag in flags]


def flag_sentences(flags: Flag) -> list[str]:
    """One sentence for each flag that is set."""
    return [FLAG_WORDS[flag] for flag in Flag if flag in flags]


def fault_sentences(faults: int) -> list[str]:
    """One sentence for each fault that `Info.faults` tells."""
    known = [words for bit, words in enumerate(_FAULT_WORDS) if faults >> bit & 1]
    unknown = faults >> len(_FAULT_WORDS)
    return [*known, *([f"faults of a newer firmware: {unknown << len(_FAULT_WORDS):#06x}"] if unknown else [])]


def direction_words(row: Sequence[float]) -> str:
    """A direction given in the board's axes: `the board's -z, 12° off`."""
    length = math.sqrt(sum(value * value for value in row)) or 1.0
    largest = max(range(3), key=lambda index: abs(row[index]))
    off = math.degrees(math.acos(min(abs(row[largest]) / length, 1.0)))
    sign = "-" if row[largest] < 0 else "+"
    return f"the board's {sign}{_AXES[largest]}" + (f", {off:.0f}° off" if off >= 0.5 else "")
