"""TFLite-Micro's fixed-point multiplication, in exact Python integers.

A real multiplier is a 32-bit mantissa and a power of two; the product is rounded twice, once by the doubling
high multiplication and once by the shift (gemmlowp, "double rounding"). The C++ twin is
`firmware/engines/compiled/kernels.h`.
"""

import math
from dataclasses import dataclass

_ONE = 1 << 31
_MIN_SHIFT = -31
"""Below this every bit is shifted out: the multiplier is zero."""


@dataclass(frozen=True)
class Multiplier:
    """A real factor, `mantissa` * 2^(`shift` - 31)."""

    mantissa: int
    """0, or 2^30 up to 2^31 - 1."""
    shift: int
    """Positive to the left, negative to the right; -31 at least."""

    def apply(self, value: int) -> int:
        """`value` times this factor, rounded as TFLite-Micro's MultiplyByQuantizedMultiplier does."""
        left, right = max(self.shift, 0), max(-self.shift, 0)
        high = ((value << left) * self.mantissa + (1 << 30)) >> 31
        remainder = high & ((1 << right) - 1)
        threshold = (((1 << right) - 1) >> 1) + (1 if high < 0 else 0)
        return (high >> right) + (1 if remainder > threshold else 0)


def quantize_multiplier(real: float) -> Multiplier:
    """The nearest `Multiplier`, as TFLite's QuantizeMultiplier finds it.

    Args:
        real: A finite factor, not negative.

    Raises:
        ValueError: The factor is negative or not finite.
    """
    if not math.isfinite(real) or real < 0:
        raise ValueError(f"expected a finite factor >= 0, got {real}")
    if real == 0:
        return Multiplier(0, 0)
    fraction, shift = math.frexp(real)
    mantissa = math.floor(fraction * _ONE + 0.5)
    if mantissa == _ONE:
        mantissa, shift = mantissa // 2, shift + 1
    return Multiplier(0, 0) if shift < _MIN_SHIFT else Multiplier(mantissa, shift)
