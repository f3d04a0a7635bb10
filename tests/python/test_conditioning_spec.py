"""The filters' integers: derived from the allowed error, proven safe, and refused when they are not."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import butter, sos2zpk, tf2zpk

from hardwear.conditioning import FILTER_SPEC, FilterSpec, Section, design_filter
from hardwear.conditioning.design import (
    ALLOWED_ERROR_COUNTS,
    LOW_PASS,
    OFFSET,
    Butterworth,
    error_bound,
    quantise,
)
from hardwear.conditioning.spec import ACCUMULATOR_LIMIT, STATE_LIMIT, headroom
from hardwear.contract import SAMPLE_RATE_HZ
from hardwear.errors import BundleError


@pytest.mark.parametrize("filter_", [LOW_PASS, OFFSET, Butterworth(order=4, cutoff_hz=5.0)])
def test_closed_form_sections_have_the_poles_of_scipys_butterworth(filter_: Butterworth) -> None:
    _, expected, _ = sos2zpk(butter(filter_.order, filter_.cutoff_hz, fs=SAMPLE_RATE_HZ, output="sos"))
    poles = [pole for _, a1, a2 in filter_.sections() for pole in np.roots([1, a1, a2])]
    np.testing.assert_allclose(np.sort_complex(poles), np.sort_complex(expected), rtol=0, atol=1e-12)
    for g, a1, a2 in filter_.sections():
        zeros, _, _ = tf2zpk([g, 2 * g, g], [1, a1, a2])
        np.testing.assert_allclose(zeros, -1, atol=1e-6)
        assert 4 * g == pytest.approx(1 + a1 + a2, rel=1e-9), "unity gain at DC"


def test_the_shipped_widths_are_the_derived_ones() -> None:
    assert (FILTER_SPEC.coefficient_fraction_bits, FILTER_SPEC.state_fraction_bits) == (30, 13)
    bound = error_bound(FILTER_SPEC)
    assert max(bound.coefficients) <= ALLOWED_ERROR_COUNTS / 2
    assert max(bound.states) <= ALLOWED_ERROR_COUNTS / 2
    assert bound.total <= ALLOWED_ERROR_COUNTS


def test_one_state_bit_less_misses_the_allowed_error_and_one_more_could_overflow() -> None:
    less = replace(FILTER_SPEC, state_fraction_bits=FILTER_SPEC.state_fraction_bits - 1)
    assert max(error_bound(less).states) > ALLOWED_ERROR_COUNTS / 2
    with pytest.raises(BundleError, match="every state to stay within 2147483647 for any int16 input"):
        replace(FILTER_SPEC, state_fraction_bits=FILTER_SPEC.state_fraction_bits + 1)


@pytest.mark.parametrize("bits", range(16, 30))
def test_every_shorter_coefficient_misses_the_allowed_error(bits: int) -> None:
    shorter = FilterSpec(
        low_pass=tuple(quantise(section, bits) for section in LOW_PASS.sections()),
        offset=tuple(quantise(section, bits) for section in OFFSET.sections()),
        coefficient_fraction_bits=bits,
        state_fraction_bits=FILTER_SPEC.state_fraction_bits,
    )
    assert max(error_bound(shorter).coefficients) > ALLOWED_ERROR_COUNTS / 2


def test_an_error_that_32_bits_can_not_keep_is_refused() -> None:
    with pytest.raises(ValueError, match="30 fractional coefficient bits"):
        design_filter(1e-4)


def test_nothing_inside_can_overflow() -> None:
    peaks = headroom(FILTER_SPEC)
    assert 2**29 < peaks.state <= STATE_LIMIT
    assert 2**60 < peaks.accumulator <= ACCUMULATOR_LIMIT


@given(st.integers(18, 30), st.sampled_from([*LOW_PASS.sections(), *OFFSET.sections()]))
def test_every_quantised_section_has_unity_gain_and_a_symmetric_numerator(
    bits: int, ideal: tuple[float, float, float]
) -> None:
    section = quantise(ideal, bits)
    assert section.b0 + section.b1 + section.b2 == (1 << bits) + section.a1 + section.a2
    assert section.b0 == section.b2
    assert abs(section.b1 - 2 * section.b0) <= 2


def test_the_manifest_gives_back_the_same_filters() -> None:
    text = json.dumps(FILTER_SPEC.to_json())
    assert "." not in text, "integers only"
    assert FilterSpec.from_json(json.loads(text)) == FILTER_SPEC


def edited(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(FILTER_SPEC.to_json()))
    for path, value in changes.items():
        *parents, last = path.split("__")
        node: Any = document
        for parent in parents:
            node = node[int(parent) if parent.isdigit() else parent]
        node[last] = value
    return document


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "expected an object with the keys .* got NoneType"),
        ({}, "expected an object with the keys"),
        (edited(surplus=1), "surplus"),
        (edited(low_pass={}), "filter.low_pass: expected a list of sections, got dict"),
        (edited(low_pass=[]), "filter.low_pass: expected at least one section"),
        (edited(offset=[3]), r"filter.offset\[0\]: expected an object .* got int"),
        (edited(coefficient_fraction_bits=31), r"coefficient_fraction_bits: expected an integer in \[1, 30\], got 31"),
        (edited(state_fraction_bits=13.0), "state_fraction_bits: expected an integer .* got 13.0"),
        (edited(state_fraction_bits=True), "state_fraction_bits: expected an integer .* got True"),
        (edited(low_pass__2__b0="1"), r"low_pass\[2\].b0: expected an integer .* got '1'"),
        (edited(low_pass__0__b0=2**31), r"low_pass\[0\].b0: expected an integer"),
        (edited(low_pass__4__a2=2**30), r"low_pass\[4\]: expected poles inside the unit circle"),
        (edited(offset__0__b1=84030), r"offset\[0\]: expected unity gain at DC, b0 \+ b1 \+ b2 = 168063, got 168062"),
        (edited(state_fraction_bits=14), "could|bound"),
    ],
)
def test_a_damaged_manifest_is_refused_with_what_was_expected(document: object, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        FilterSpec.from_json(document)


def test_a_chain_that_could_overflow_is_refused() -> None:
    one = 1 << 30
    resonant = Section(b0=one // 2, b1=one // 2, b2=-one // 8, a1=-one // 2, a2=one - one // 8 - one // 2)
    with pytest.raises(BundleError, match="to stay within"):
        replace(FILTER_SPEC, low_pass=(resonant,) * 40)
