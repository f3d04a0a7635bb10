"""Minimal filtering (Toom, Cook, Winograd): a few outputs of a filter with fewer multiplications, in exact integers.

`m` outputs of a filter of `r` taps are the coefficients that a product of two polynomials shares with neither end; such
a product is known by its values at m + r - 1 points. So there are integer matrices with

    divisor * y = outputs @ ((weights @ g) * (inputs @ d)),    y[j] = sum of g[k] * d[j + k]

for every d of m + r - 1 inputs and every g of r taps: m + r - 1 products instead of m * r. Nothing is rounded. The left
side may even be computed modulo 2^32: a division by an odd number is a multiplication by its inverse there, and what is
left, a power of two times y, is a number again as soon as it fits.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import lcm, prod

import numpy as np
import numpy.typing as npt

Point = tuple[int, int]
"""A point a / b of the projective line as (a, b); infinity is (1, 0)."""

INFINITY: Point = (1, 0)

_BYTE_MAX = 255
_INT16_MAX = 2**15 - 1
_RAISE_STEP = 128
"""Any multiple of it below 2^15 is an immediate operand on a Cortex-M4."""


@dataclass(frozen=True, eq=False)
class MinimalFilter:
    """The matrices for one pair of sizes, all of integers."""

    inputs: npt.NDArray[np.int64]
    """(points, points)"""
    weights: npt.NDArray[np.int64]
    """(points, taps)"""
    outputs: npt.NDArray[np.int64]
    """(outputs, points)"""
    divisor: int

    @property
    def points(self) -> int:
        """Multiplications, and inputs."""
        return len(self.inputs)

    @property
    def taps(self) -> int:
        """Length of the filter."""
        return int(self.weights.shape[1])

    @property
    def tile(self) -> int:
        """Outputs."""
        return len(self.outputs)

    @property
    def shift(self) -> int:
        """The exponent of the power of two in the divisor."""
        return (self.divisor & -self.divisor).bit_length() - 1

    @property
    def inverse(self) -> int:
        """Of the divisor's odd part, modulo 2^32."""
        return pow(self.divisor >> self.shift, -1, 2**32)

    @property
    def raised(self) -> int:
        """What added to the last two of the inputs, bytes, leaves no transformed input negative."""
        negative = -_BYTE_MAX * np.minimum(self.inputs, 0).sum(axis=1)
        per_raise = self.inputs[:, -2:].sum(axis=1)
        return max(-(-int(n) // int(p * _RAISE_STEP)) for n, p in zip(negative, per_raise, strict=True)) * _RAISE_STEP

    def raised_outputs(self, taps: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """What raising the last two inputs by 1 adds to each output of the filter (..., taps): (..., outputs)."""
        windows = np.eye(self.points, dtype=np.int64)[-2:].sum(axis=0)
        return np.stack([taps @ windows[j : j + self.taps] for j in range(self.tile)], axis=-1)


def minimal_filter(outputs: int, taps: int, points: tuple[Point, ...]) -> MinimalFilter:
    """The matrices for `outputs` results of a filter of `taps`.

    Args:
        outputs: How many; at least 1.
        taps: Length of the filter; at least 1.
        points: outputs + taps - 1 different points, each in lowest terms. Rows of `inputs` get a positive last
            coefficient.
    """
    if len(points) != outputs + taps - 1:
        raise ValueError(f"expected {outputs + taps - 1} points, got {len(points)}")
    # Lagrange: the values are weighed with the polynomial that vanishes at all the other points.
    others = [tuple(point for point in points if point != one) for one in points]
    rows = [_product(rest) for rest in others]
    signs = [1 if next(c for c in reversed(row) if c) > 0 else -1 for row in rows]
    norms = [prod(b * one[0] - a * one[1] for a, b in rest) for one, rest in zip(points, others, strict=True)]
    scaled = [
        [Fraction(sign * power, norm) for power in _powers(point, taps)]
        for point, sign, norm in zip(points, signs, norms, strict=True)
    ]
    divisor = lcm(*(fraction.denominator for row in scaled for fraction in row))
    return MinimalFilter(
        inputs=np.array([[sign * c for c in row] for row, sign in zip(rows, signs, strict=True)], np.int64),
        weights=np.array([[int(divisor * fraction) for fraction in row] for row in scaled], np.int64),
        outputs=np.array([tuple(_powers(point, outputs)) for point in points], np.int64).T,
        divisor=divisor,
    )


def _powers(point: Point, count: int) -> Iterator[int]:
    a, b = point
    return (a**k * b ** (count - 1 - k) for k in range(count))


def _product(points: Iterable[Point]) -> list[int]:
    """The polynomial with these roots, coefficients from the constant one up, one more than there are points."""
    polynomial = [1]
    for a, b in points:
        polynomial = [b * higher - a * lower for lower, higher in zip([*polynomial, 0], [0, *polynomial], strict=True)]
    return polynomial


def fits_int16(weights: npt.NDArray[np.int64]) -> bool:
    """Whether transformed weights are operands of SMLAD."""
    return bool(np.abs(weights).max(initial=0) <= _INT16_MAX)


_HALVES_AND_TWOS = ((0, 1), (1, 1), (-1, 1), (2, 1), (-2, 1), (1, 2), (-1, 2), INFINITY)
_TWOS = ((0, 1), (1, 1), (-1, 1), (2, 1), (-2, 1), INFINITY)

FILTERS = {3: minimal_filter(4, 3, _TWOS), 5: minimal_filter(4, 5, _HALVES_AND_TWOS)}
"""By taps: those that `firmware/engines/compiled/toom_cook.h` knows, in the order of its points."""
