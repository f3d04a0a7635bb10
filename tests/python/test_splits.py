import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardwear.datasets import Dataset, WindowSet, split_by_subject, split_by_window
from hardwear.errors import DatasetError


def windows_of(subjects: list[int]) -> WindowSet:
    count = len(subjects)
    numbered = np.arange(count, dtype=np.float32)[:, None, None]
    return WindowSet(
        windows=numbered * np.ones((1, 128, 6), dtype=np.float32),
        labels=np.arange(count, dtype=np.int64) % 6,
        subjects=np.array(subjects, dtype=np.int64),
        body_acc=numbered * np.ones((1, 128, 3), dtype=np.float32),
    )


SUBJECTS = st.lists(st.integers(1, 8), min_size=2, max_size=20).filter(lambda s: len(set(s)) > 1)


@given(subjects=SUBJECTS, share=st.floats(0.01, 0.99), seed=st.integers(0, 5))
def test_drawn_split_shares_nobody_and_loses_no_window(subjects: list[int], share: float, seed: int) -> None:
    windows = windows_of(subjects)
    training, validation = split_by_subject(windows, share, seed)
    assert set(training.subjects).isdisjoint(validation.subjects)
    assert len(training)
    assert len(validation)
    rows = np.concatenate([training.windows[:, 0, 0], validation.windows[:, 0, 0]])
    assert sorted(rows) == list(range(len(subjects)))
    for part in (training, validation):
        np.testing.assert_array_equal(part.labels, part.windows[:, 0, 0].astype(int) % 6)
        np.testing.assert_array_equal(part.body_acc[:, 0, 0], part.windows[:, 0, 0])
        assert np.all(np.diff(part.windows[:, 0, 0]) > 0)


@given(count=st.integers(2, 60), share=st.floats(0.01, 0.99), seed=st.integers(0, 5))
def test_split_by_window_loses_no_window_and_holds_out_the_share(count: int, share: float, seed: int) -> None:
    windows = windows_of([1] * count)
    if not 0 < round(share * count) < count:
        with pytest.raises(DatasetError, match="windows on both sides"):
            split_by_window(windows, share, seed)
        return
    training, validation = split_by_window(windows, share, seed)
    assert len(validation) == round(share * count)
    rows = [set(part.windows[:, 0, 0].astype(int)) for part in (training, validation)]
    assert rows[0] | rows[1] == set(range(count))
    assert not rows[0] & rows[1]
    again = split_by_window(windows, share, seed)[1]
    np.testing.assert_array_equal(again.windows, validation.windows)


def test_same_seed_draws_the_same_people() -> None:
    windows = windows_of(list(range(1, 31)))
    draws = [tuple(split_by_subject(windows, 0.2, seed)[1].subjects) for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
    assert len(draws[0]) == 6


def test_named_subjects_are_set_aside_in_the_order_of_their_windows() -> None:
    training, validation = split_by_subject(windows_of([3, 1, 2, 1, 3]), [1, 2])
    assert list(validation.subjects) == [1, 2, 1]
    assert list(training.subjects) == [3, 3]


@pytest.mark.parametrize("chosen", [[], [9], [1, 1], [1, 2, 3], (0,)])
def test_choice_that_makes_no_split_is_told_with_the_choices(chosen: list[int]) -> None:
    with pytest.raises(DatasetError, match="some but not all of subjects 1, 2, 3"):
        split_by_subject(windows_of([1, 2, 3]), chosen)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, float("nan")])
def test_share_outside_of_zero_to_one_is_told(share: float) -> None:
    with pytest.raises(DatasetError, match="between 0 and 1"):
        split_by_subject(windows_of([1, 2, 3]), share)


def test_data_set_whose_split_shares_subjects_is_refused() -> None:
    with pytest.raises(DatasetError, match="subjects 2, 3 in both"):
        Dataset("MINE", windows_of([1, 2, 3]), windows_of([2, 3, 4]), sha256="", source="")


@pytest.mark.parametrize(
    ("field", "values", "said"),
    [
        ("windows", np.zeros((3, 128, 6), np.float64), "float64"),
        ("windows", np.zeros((3, 6, 128), np.float32), r"\(3, 6, 128\)"),
        ("windows", np.full((3, 128, 6), np.nan, np.float32), "window 0"),
        ("body_acc", np.zeros((2, 128, 3), np.float32), r"\(2, 128, 3\)"),
        ("labels", np.array([0, 1, 6]), "0 to 6"),
        ("labels", np.array([-1, 1, 5]), "-1 to 5"),
        ("subjects", np.zeros(3, np.int32), "int32"),
    ],
)
def test_windows_that_break_the_contract_are_refused(field: str, values: np.ndarray, said: str) -> None:
    arrays = {**vars(windows_of([1, 2, 3])), field: values}
    with pytest.raises(DatasetError, match=said):
        WindowSet(**arrays)
