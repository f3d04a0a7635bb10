"""The generator's, the kernels' and TFLite's fixed-point arithmetic are one and the same."""

import math
import subprocess
from fractions import Fraction
from pathlib import Path

import compiled_engine
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardwear.codegen.fixed_point import Multiplier, quantize_multiplier

INT32 = st.integers(-(2**31), 2**31 - 1)
MANTISSAS = st.one_of(st.just(0), st.integers(2**30, 2**31 - 1))


def half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def half_away_from_zero(value: Fraction) -> int:
    return half_up(value) if value >= 0 else -half_up(-value)


@given(INT32, MANTISSAS, st.integers(-31, 0))
def test_products_are_rounded_twice(value: int, mantissa: int, shift: int) -> None:
    high = half_up(Fraction(value * mantissa, 2**31))
    assert Multiplier(mantissa, shift).apply(value) == half_away_from_zero(Fraction(high, 2**-shift))


@given(st.integers(-(2**20), 2**20), MANTISSAS, st.integers(1, 10))
def test_left_shifts_come_before_the_product(value: int, mantissa: int, shift: int) -> None:
    assert Multiplier(mantissa, shift).apply(value) == half_up(Fraction(value * 2**shift * mantissa, 2**31))


@given(st.floats(2.0**-31, 2.0**20))
def test_a_quantised_multiplier_is_the_nearest(real: float) -> None:
    made = quantize_multiplier(real)
    assert 2**30 <= made.mantissa < 2**31
    assert abs(Fraction(made.mantissa) * Fraction(2) ** (made.shift - 31) / Fraction(real) - 1) <= Fraction(1, 2**31)


def test_mantissas_that_round_up_to_one_and_factors_too_small_to_matter() -> None:
    assert quantize_multiplier(math.nextafter(1.0, 0.0)) == Multiplier(2**30, 1)
    assert quantize_multiplier(0.0) == Multiplier(0, 0)
    assert quantize_multiplier(2.0**-40) == Multiplier(0, 0)
    for impossible in (-1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="finite factor"):
            quantize_multiplier(impossible)


def test_kernels_multiply_as_the_generator_does(tmp_path: Path) -> None:
    source = tmp_path / "multiply.cpp"
    source.write_text(
        """#include <cstdio>
#include "engines/compiled/kernels.h"
int main() {
  int32_t triple[3];
  while (fread(triple, sizeof(triple), 1, stdin) == 1) {
    const int32_t product = hardwear::kernels::multiply(triple[0], {triple[1], static_cast<int8_t>(triple[2])});
    fwrite(&product, sizeof(product), 1, stdout);
  }
}
"""
    )
    program = tmp_path / "multiply"
    flags = [*compiled_engine.STRICT, *compiled_engine.SANITIZERS, f"-I{compiled_engine.FIRMWARE}"]
    subprocess.run(["g++", *flags, str(source), "-o", str(program)], check=True)

    random = np.random.default_rng(5)
    count = 20_000
    shifts = random.integers(-31, 8, count)
    values = random.integers(-(2**31), 2**31, count) >> np.maximum(shifts, 0) >> random.integers(0, 24, count)
    mantissas = random.integers(2**30, 2**31, count)
    triples = np.stack([values, mantissas, shifts], axis=1)
    edges = [(v, m, s) for v in (-(2**31), -1, 0, 1, 2**31 - 1) for m in (0, 2**30, 2**31 - 1) for s in (-31, -1, 0)]
    triples = np.concatenate([triples, np.array(edges)]).astype("<i4")
    done = subprocess.run([program], input=triples.tobytes(), capture_output=True, check=True)
    expected = [Multiplier(int(m), int(s)).apply(int(v)) for v, m, s in triples]
    np.testing.assert_array_equal(np.frombuffer(done.stdout, "<i4"), expected)
