"""The label that doesn't flicker: chip and Python agree on every window, and on what may be asked of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardwear.contract import CLASS_COUNT
from hardwear.wearable.smoothing import MAX_SMOOTHING, UNKNOWN_ACTIVITY, LabelSmoother
from native import Native, build_library

WINDOW = st.lists(st.integers(0, 255), min_size=CLASS_COUNT, max_size=CLASS_COUNT)


@pytest.fixture(scope="module")
def library() -> Native:
    return build_library()


@given(
    smoothing=st.integers(0, MAX_SMOOTHING),
    threshold=st.integers(0, 255),
    windows=st.lists(WINDOW, min_size=1, max_size=40),
)
def test_the_chip_names_what_python_names(
    library: Native, smoothing: int, threshold: int, windows: list[list[int]]
) -> None:
    smoother = LabelSmoother(smoothing, threshold)
    assert [smoother.push(window) for window in windows] == library.smooth(smoothing, threshold, windows).tolist()


def test_long_certain_runs_settle_on_the_same_levels(library: Native) -> None:
    random = np.random.default_rng(3)
    windows = np.repeat(random.integers(0, 256, (30, CLASS_COUNT)), 50, axis=0)
    for smoothing in range(MAX_SMOOTHING + 1):
        smoother = LabelSmoother(smoothing, 128)
        assert [smoother.push(w) for w in windows.tolist()] == library.smooth(smoothing, 128, windows).tolist()


def test_a_reset_forgets() -> None:
    smoother = LabelSmoother(3, 100)
    assert smoother.push([0, 0, 0, 255, 0, 0]) == 3
    smoother.reset()
    assert smoother.label == UNKNOWN_ACTIVITY
    assert smoother.push([255, 0, 0, 0, 0, 0]) == 0


@pytest.mark.parametrize(("smoothing", "threshold"), [(-1, 0), (MAX_SMOOTHING + 1, 0), (0, -1), (0, 256)])
def test_settings_out_of_range_are_refused(smoothing: int, threshold: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        LabelSmoother(smoothing, threshold)


def test_a_window_of_other_length_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 6 probabilities, got 5"):
        LabelSmoother(0, 0).push([1, 2, 3, 4, 5])
