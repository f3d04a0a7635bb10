"""The integers that define the fixed-point chain, and the proof that nothing in it can overflow.

A `FilterSpec` is all that the NumPy specification, the generated header and the C++ twin know of the filters. It
stands in the bundle's manifest, so that a device and a host that disagree on one coefficient are told apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from hardwear.errors import BundleError

INPUT_PEAK = 2**15
"""Largest magnitude of an int16 count."""

STATE_LIMIT = 2**31 - 1
"""Largest magnitude that the chip's int32 states hold."""

ACCUMULATOR_LIMIT = 2**63 - 1
"""Largest magnitude that the chip's int64 accumulator holds."""

IMPULSE_SAMPLES = 8192
"""Impulse responses are followed this far; the slowest pole (radius 0.9912) has decayed to 3e-32 by then."""

_NEXT_STEP = "take the filter from hardwear.conditioning.FILTER_SPEC, or convert the bundle again"


@dataclass(frozen=True)
class Section:
    """One biquad, (b0 + b1·z⁻¹ + b2·z⁻²) / (1 + a1·z⁻¹ + a2·z⁻²), each coefficient times 2^(fraction bits)."""

    b0: int
    b1: int
    b2: int
    a1: int
    a2: int


@dataclass(frozen=True)
class Headroom:
    """Proven peaks inside the chain, for any int16 input from zero state."""

    state: int
    """Largest magnitude of a section's output, or of low-passed minus offset, in units of the state."""
    accumulator: int
    """Largest magnitude of a partial sum of products, in whatever order they are added."""


@dataclass(frozen=True)
class FilterSpec:
    """The conditioning chain in integers: median-3, the low-pass's biquads, then the gyro's offset removal.

    Every section works on states with `state_fraction_bits` fractional bits, and keeps the remainder that its
    truncation cuts off for the next sample (first-order error feedback).

    Raises:
        BundleError: A field is no integer or out of range, a section is unstable or has no exact unity gain at DC, or
            some int16 input could overflow a 32-bit state or the 64-bit accumulator.
    """

    low_pass: tuple[Section, ...]
    """The low-pass that all six channels go through, first section first."""
    offset: tuple[Section, ...]
    """The low-pass whose output the gyro channels lose."""
    coefficient_fraction_bits: int
    """A coefficient c is stored as c·2^bits."""
    state_fraction_bits: int
    """A signal of one count is stored in a state as 2^bits."""

    def __post_init__(self) -> None:
        _check_int("coefficient_fraction_bits", self.coefficient_fraction_bits, 1, 30)
        _check_int("state_fraction_bits", self.state_fraction_bits, 1, 15)
        for name, sections in (("low_pass", self.low_pass), ("offset", self.offset)):
            if not sections:
                raise BundleError(f"filter.{name}: expected at least one section, got none; {_NEXT_STEP}")
            for index, section in enumerate(sections):
                _check_section(f"{name}[{index}]", section, 1 << self.coefficient_fraction_bits)
        peaks = headroom(self)
        for name, peak, limit in (
            ("state", peaks.state, STATE_LIMIT),
            ("accumulator", peaks.accumulator, ACCUMULATOR_LIMIT),
        ):
            if peak > limit:
                raise BundleError(
                    f"filter: expected every {name} to stay within {limit} for any int16 input, but the bound is "
                    f"{peak}; lower state_fraction_bits (now {self.state_fraction_bits}), or {_NEXT_STEP}"
                )

    def to_json(self) -> dict[str, Any]:
        """The manifest's `filter` object: integers, and lists of objects of integers."""
        return {
            "low_pass": [asdict(section) for section in self.low_pass],
            "offset": [asdict(section) for section in self.offset],
            "coefficient_fraction_bits": self.coefficient_fraction_bits,
            "state_fraction_bits": self.state_fraction_bits,
        }

    @classmethod
    def from_json(cls, document: object) -> Self:
        """Read what `to_json` wrote.

        Args:
            document: The manifest's `filter` object, as `json` parsed it.

        Raises:
            BundleError: A key is missing or unknown, a value is no integer, or the chain is not safe to run.
        """
        values = _object("filter", document, [field.name for field in fields(cls)])
        return cls(
            low_pass=_sections("low_pass", values["low_pass"]),
            offset=_sections("offset", values["offset"]),
            coefficient_fraction_bits=values["coefficient_fraction_bits"],
            state_fraction_bits=values["state_fraction_bits"],
        )


def responses(spec: FilterSpec) -> list[npt.NDArray[np.float64]]:
    """Linear responses after each section, low-pass first, then offset.

    Returns:
        For every section (1 + sections, IMPULSE_SAMPLES): row 0 answers a unit impulse at the input of the chain, row
        1 + i the rounding of section i. With remainders r in [-½, ½] around their start, section i computes
        y = (B·x + (z⁻¹ - 1)·r) / A, so rounding enters through (1 - z⁻¹) / A and vanishes at DC.
    """
    one = float(1 << spec.coefficient_fraction_bits)
    chain = (*spec.low_pass, *spec.offset)
    signals = np.zeros((1 + len(chain), IMPULSE_SAMPLES))
    signals[0, 0] = 1.0
    impulse = signals[0].copy()
    after = []
    for index, section in enumerate(chain):
        denominator = np.array([one, section.a1, section.a2]) / one
        signals = lfilter(np.array([section.b0, section.b1, section.b2]) / one, denominator, signals)
        signals[1 + index] = lfilter([1.0, -1.0], denominator, impulse)
        after.append(signals)
    return after


def l1_norm(response: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Sum of magnitudes along the last axis: the tight bound of |output| for |input| ≤ 1."""
    return np.asarray(np.abs(response).sum(axis=-1))


def headroom(spec: FilterSpec) -> Headroom:
    """Prove the largest magnitudes inside the chain: input peak times L1 norm, plus rounding noise.

    |y[n]| = |Σ h[k]·x[n-k]| ≤ max|x|·Σ|h[k]|; the input x[-k] = peak·sign(h[k]) reaches it.
    """
    after = responses(spec)
    low_passed = after[len(spec.low_pass) - 1]
    unit = INPUT_PEAK << spec.state_fraction_bits
    weights = np.full(len(after) + 1, 0.5)
    weights[0] = unit
    # One part in 10⁹ covers the rounding of these very sums in float64.
    outputs = [int(np.ceil(weights @ l1_norm(signals) * (1 + 1e-9))) for signals in after]
    difference = int(np.ceil(weights @ l1_norm(low_passed - after[-1]) * (1 + 1e-9)))
    inputs = [unit, *outputs]
    remainder = 1 << spec.coefficient_fraction_bits
    accumulator = max(
        (abs(s.b0) + abs(s.b1) + abs(s.b2)) * before + (abs(s.a1) + abs(s.a2)) * output + remainder
        for s, before, output in zip((*spec.low_pass, *spec.offset), inputs, outputs, strict=False)
    )
    half_count = 1 << (spec.state_fraction_bits - 1)
    return Headroom(state=max(*inputs, difference) + half_count, accumulator=accumulator)


def _check_int(name: str, value: object, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise BundleError(f"filter.{name}: expected an integer in [{low}, {high}], got {value!r}; {_NEXT_STEP}")


def _check_section(name: str, section: Section, one: int) -> None:
    for field in fields(Section):
        _check_int(f"{name}.{field.name}", getattr(section, field.name), -STATE_LIMIT, STATE_LIMIT)
    if not (abs(section.a2) < one and abs(section.a1) < one + section.a2):
        raise BundleError(
            f"filter.{name}: expected poles inside the unit circle, got a1 {section.a1} and a2 {section.a2} "
            f"for one = {one}; {_NEXT_STEP}"
        )
    numerator, denominator = section.b0 + section.b1 + section.b2, one + section.a1 + section.a2
    if numerator != denominator:
        raise BundleError(
            f"filter.{name}: expected unity gain at DC, b0 + b1 + b2 = {denominator}, got {numerator}; {_NEXT_STEP}"
        )


def _object(name: str, document: object, keys: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(document, Mapping) or sorted(document) != sorted(keys):
        came = sorted(document) if isinstance(document, Mapping) else type(document).__name__
        raise BundleError(f"{name}: expected an object with the keys {sorted(keys)}, got {came}; {_NEXT_STEP}")
    return document


def _sections(name: str, document: object) -> tuple[Section, ...]:
    if not isinstance(document, list):
        raise BundleError(f"filter.{name}: expected a list of sections, got {type(document).__name__}; {_NEXT_STEP}")
    keys = [field.name for field in fields(Section)]
    return tuple(Section(**_object(f"filter.{name}[{index}]", item, keys)) for index, item in enumerate(document))
