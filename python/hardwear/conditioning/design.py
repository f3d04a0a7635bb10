"""From the filters' specification and the allowed error to coefficients and word widths.

The widths are not chosen but derived: the smallest whose worst-case error, over every int16 input, stays within the
allowance, checked against what 32-bit words hold. `docs/conditioning.md` tells the derivation.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from hardwear.conditioning.spec import (
    IMPULSE_SAMPLES,
    INPUT_PEAK,
    FilterSpec,
    Headroom,
    Section,
    headroom,
    l1_norm,
    responses,
)
from hardwear.contract import SAMPLE_RATE_HZ

__all__ = [
    "ALLOWED_ERROR_COUNTS",
    "FILTER_SPEC",
    "LOW_PASS",
    "OFFSET",
    "Butterworth",
    "ErrorBound",
    "FilterSpec",
    "Headroom",
    "Section",
    "design_filter",
    "error_bound",
    "headroom",
]


@dataclass(frozen=True)
class Butterworth:
    """A Butterworth low-pass of even order."""

    order: int
    cutoff_hz: float

    def sections(self) -> list[tuple[float, float, float]]:
        """Bilinear transform with prewarping, pair of poles by pair of poles, lowest Q first.

        Returns:
            (g, a1, a2) for every biquad g·(1 + z⁻¹)² / (1 + a1·z⁻¹ + a2·z⁻²), each of unity gain at DC, so that no
            intermediate signal is larger than it must be.
        """
        k = math.tan(math.pi * self.cutoff_hz / SAMPLE_RATE_HZ)
        sections = []
        for pair in range(self.order // 2):
            damping = 2 * math.cos(math.pi * (2 * pair + 1) / (2 * self.order))
            n = 1 / (1 + damping * k + k * k)
            sections.append((k * k * n, 2 * (k * k - 1) * n, (1 - damping * k + k * k) * n))
        return sections


LOW_PASS = Butterworth(order=10, cutoff_hz=20.0)
"""UCI-HAR's noise filter, which all six channels go through."""

OFFSET = Butterworth(order=2, cutoff_hz=0.1)
"""What the gyro loses: UCI-HAR's body_gyro is the low-passed gyro minus this low-pass of it."""

ALLOWED_ERROR_COUNTS = 1 / 32
"""Largest error, before the final rounding, of any output for any int16 input.

A sixteenth of the half count that the rounding to int16 costs anyway, and the tightest power of two that 32-bit
coefficients and states afford. Half of it is the coefficients', half the states'.
"""


@dataclass(frozen=True)
class ErrorBound:
    """Worst case over all int16 inputs, in counts, before the final rounding, for acceleration and gyro."""

    coefficients: tuple[float, float]
    """Peak times L1 norm of (quantised minus ideal impulse response)."""
    states: tuple[float, float]
    """Half a state's LSB times the L1 norms through which the roundings reach the output."""

    @property
    def total(self) -> float:
        """Worst of acceleration and gyro, coefficients and states together."""
        return max(c + s for c, s in zip(self.coefficients, self.states, strict=True))


def quantise(section: tuple[float, float, float], fraction_bits: int) -> Section:
    """Round a biquad's poles to the grid, then spend the numerator so that its gain at DC is exactly one.

    Args:
        section: (g, a1, a2) as `Butterworth.sections` gives it.
        fraction_bits: Coefficients are multiples of 2^-fraction_bits.
    """
    one = 1 << fraction_bits
    a1, a2 = round(section[1] * one), round(section[2] * one)
    total = one + a1 + a2
    b0 = (total + 2) // 4
    return Section(b0=b0, b1=total - 2 * b0, b2=b0, a1=a1, a2=a2)


def ideal_responses() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Impulse responses of the unquantised chain: (IMPULSE_SAMPLES,) of the low-pass, and of the gyro's whole chain."""
    low_passed = np.zeros(IMPULSE_SAMPLES)
    low_passed[0] = 1.0
    for section in LOW_PASS.sections():
        low_passed = _respond(section, low_passed)
    offset = low_passed
    for section in OFFSET.sections():
        offset = _respond(section, offset)
    return low_passed, low_passed - offset


def error_bound(spec: FilterSpec) -> ErrorBound:
    """Bound the error of the fixed-point chain against the ideal one, before the final rounding."""
    after = responses(spec)
    low_passed = after[len(spec.low_pass) - 1]
    gyro = low_passed - after[-1]
    ideal = ideal_responses()
    half_state = 0.5 / (1 << spec.state_fraction_bits)
    return ErrorBound(
        coefficients=(
            INPUT_PEAK * float(l1_norm(low_passed[0] - ideal[0])),
            INPUT_PEAK * float(l1_norm(gyro[0] - ideal[1])),
        ),
        states=(
            half_state * float(l1_norm(low_passed[1:]).sum()),
            half_state * float(l1_norm(gyro[1:]).sum()),
        ),
    )


@cache
def design_filter(allowed_error_counts: float = ALLOWED_ERROR_COUNTS) -> FilterSpec:
    """Derive the chain: the fewest coefficient bits, then the fewest state bits, that keep the allowed error.

    Args:
        allowed_error_counts: Worst-case error before the final rounding, in counts; half goes to the coefficients.

    Raises:
        ValueError: 32-bit coefficients or states can't keep this error.
    """
    share = allowed_error_counts / 2
    coefficient_bits = next(
        (bits for bits in range(16, 31) if max(error_bound(_spec(bits, 1)).coefficients) <= share), None
    )
    if coefficient_bits is None:
        raise ValueError(
            f"expected an allowed error that 30 fractional coefficient bits can keep, got {allowed_error_counts} "
            f"counts; the least is {2 * max(error_bound(_spec(30, 1)).coefficients):.4f}"
        )
    # One state LSB is 2^-bits counts, so the error for one bit gives the bits needed in closed form.
    one_bit = max(error_bound(_spec(coefficient_bits, 1)).states)
    return _spec(coefficient_bits, max(1, 1 + math.ceil(math.log2(one_bit / share))))


def _spec(coefficient_bits: int, state_bits: int) -> FilterSpec:
    return FilterSpec(
        low_pass=tuple(quantise(section, coefficient_bits) for section in LOW_PASS.sections()),
        offset=tuple(quantise(section, coefficient_bits) for section in OFFSET.sections()),
        coefficient_fraction_bits=coefficient_bits,
        state_fraction_bits=state_bits,
    )


def _respond(section: tuple[float, float, float], signal: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    g, a1, a2 = section
    return np.asarray(lfilter([g, 2 * g, g], [1.0, a1, a2], signal))


FILTER_SPEC = design_filter()
"""The shipped chain: 30 coefficient bits, 13 state bits."""
