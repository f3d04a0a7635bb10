"""Minimal filtering is exact: fewer products, the same integers, whatever the numbers."""

import numpy as np
import numpy.typing as npt
import pytest

from hardwear.codegen.minimal_filtering import FILTERS, INFINITY, MinimalFilter, Point, fits_int16, minimal_filter


def correlation(taps: npt.NDArray[np.int64], inputs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """By its definition."""
    windows = np.lib.stride_tricks.sliding_window_view(inputs, len(taps))
    return windows @ taps


def filtered(by: MinimalFilter, taps: npt.NDArray[np.int64], inputs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The divisor times the same, with as many products as points."""
    return by.outputs @ ((by.weights @ taps) * (by.inputs @ inputs))


ZERO_TO_THREE: tuple[Point, ...] = ((0, 1), (1, 1), (-1, 1), (2, 1), (-2, 1), (3, 1), (-3, 1))


@pytest.mark.parametrize(
    ("outputs", "points"),
    [
        (1, ((0, 1), (1, 1))),
        (2, ((0, 1), (1, 1), (-1, 1), INFINITY)),
        (2, ((0, 1), (1, 2), (-2, 3), (5, 1))),
        (4, (*ZERO_TO_THREE, INFINITY)),
        (3, (INFINITY, (3, 7), (-1, 5), (0, 1), (11, 1), (1, 1), (2, 1), (-9, 2))),
    ],
)
def test_any_points_give_the_filter_itself(outputs: int, points: tuple[Point, ...]) -> None:
    taps = len(points) - outputs + 1
    by, random = minimal_filter(outputs, taps, points), np.random.default_rng(1)
    for _ in range(50):
        g, d = random.integers(-99, 100, taps), random.integers(-99, 100, len(points))
        np.testing.assert_array_equal(filtered(by, g, d), by.divisor * correlation(g, d))


@pytest.mark.parametrize("taps", sorted(FILTERS))
def test_filters_of_the_kernels_are_exact_modulo_two_to_the_32(taps: int) -> None:
    """As the chip does it: every sum wraps, the odd part is divided by its inverse, the shift comes last."""
    by, random = FILTERS[taps], np.random.default_rng(taps)
    extremes = [np.full(by.points, 255), np.arange(by.points) % 2 * 255, np.zeros(by.points, np.int64)]
    for d in [*extremes, *random.integers(0, 256, (200, by.points))]:
        g = random.choice([-128, -1, 0, 1, 127], taps) if random.random() < 0.5 else random.integers(-128, 128, taps)
        # Sums over very many channels leave 32 bits long before they are divided.
        wrapped = (1_000 * filtered(by, g, d)) % 2**32
        divided = (wrapped * by.inverse) % 2**32
        signed = np.where(divided >= 2**31, divided - 2**32, divided)
        np.testing.assert_array_equal(signed >> by.shift, 1_000 * correlation(g, d))


def test_winograds_filter_for_two_outputs_and_three_taps() -> None:
    """The textbook's F(2, 3), but for signs that cancel."""
    by = minimal_filter(2, 3, ((0, 1), (1, 1), (-1, 1), INFINITY))
    assert by.divisor == 2
    assert np.abs(by.inputs).tolist() == [[1, 0, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 0, 1]]
    assert np.abs(by.weights).tolist() == [[2, 0, 0], [1, 1, 1], [1, 1, 1], [0, 0, 2]]
    assert by.outputs.tolist() == [[1, 1, 1, 0], [0, 1, -1, 1]]


@pytest.mark.parametrize(("taps", "divisor"), [(3, 24), (5, 360)])
def test_filters_of_the_kernels_fit_their_operands(taps: int, divisor: int) -> None:
    by = FILTERS[taps]
    assert (by.tile, by.taps, by.points, by.divisor, by.shift) == (4, taps, taps + 3, divisor, 3)
    # Any int8 weights, and any bytes; those of the low half are raised until none is negative.
    assert fits_int16(128 * np.abs(by.weights).sum(axis=1))
    lowest, highest = 255 * np.minimum(by.inputs, 0).sum(axis=1), 255 * np.maximum(by.inputs, 0).sum(axis=1)
    raised = by.raised * by.inputs[:, -2:].sum(axis=1)
    assert (lowest >= -(2**15)).all()
    assert (lowest + raised >= 0).all()
    assert (highest + raised < 2**15).all()
    assert by.raised % 128 == 0


@pytest.mark.parametrize("taps", sorted(FILTERS))
def test_what_raises_the_inputs_is_known(taps: int) -> None:
    by, random = FILTERS[taps], np.random.default_rng(9)
    for _ in range(50):
        g, d = random.integers(-128, 128, taps), random.integers(0, 256, by.points)
        raised = d + by.raised * (np.arange(by.points) >= by.points - 2)
        np.testing.assert_array_equal(
            correlation(g, raised) - correlation(g, d), by.raised * by.raised_outputs(g[np.newaxis])[0]
        )
        # The bias of the second output is that of the first.
        assert by.raised_outputs(g)[:2].tolist() == [0, 0]


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 6 points, got 2"):
        minimal_filter(4, 3, ((0, 1), INFINITY))
