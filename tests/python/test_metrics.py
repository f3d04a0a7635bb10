"""The figures of every table, against hand-worked ones."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardwear.contract import CLASSES
from hardwear.errors import DatasetError
from hardwear.metrics import Metrics, classification_metrics, pooled_metrics


def test_figures_agree_with_hand_worked_ones() -> None:
    labels = [0, 0, 0, 1, 1, 2, 3, 4, 5, 5]
    predictions = [0, 0, 1, 1, 1, 2, 4, 4, 5, 0]
    metrics = classification_metrics(labels, predictions)
    f1 = [2 * 2 / (3 + 3), 2 * 2 / (2 + 3), 1.0, 0.0, 2 * 1 / (1 + 2), 2 * 1 / (2 + 1)]
    assert metrics.macro_f1 == pytest.approx(np.mean(f1), rel=1e-12)
    assert metrics.accuracy == pytest.approx(0.7)
    assert list(metrics.recall.values()) == pytest.approx([2 / 3, 1.0, 1.0, 0.0, 1.0, 0.5])
    assert list(metrics.recall) == list(CLASSES)
    assert metrics.confusion[3] == (0, 0, 0, 0, 1, 0)
    assert np.sum(metrics.confusion) == len(labels)
    assert metrics.macro_recall == pytest.approx(np.mean([2 / 3, 1.0, 1.0, 0.0, 1.0, 0.5]))
    assert metrics.precision == pytest.approx(
        {"WALKING": 2 / 3, "WALKING_UPSTAIRS": 2 / 3, "WALKING_DOWNSTAIRS": 1.0, "STANDING": 0.5, "LAYING": 1.0}
    )
    assert metrics.macro_precision == pytest.approx(np.mean([2 / 3, 2 / 3, 1.0, 0.0, 0.5, 1.0]))


def test_a_class_that_never_occurs_does_not_pull_the_mean_down() -> None:
    metrics = classification_metrics([0, 0, 1], [0, 0, 1])
    assert metrics.macro_f1 == 1.0
    assert metrics.recall == {"WALKING": 1.0, "WALKING_UPSTAIRS": 1.0}


def test_figures_survive_json() -> None:
    metrics = classification_metrics(np.arange(6), np.array([0, 1, 2, 3, 3, 5]))
    assert Metrics.from_json(json.loads(json.dumps(metrics.to_json()))) == metrics


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=40), st.data())
def test_parts_pooled_are_the_whole(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(pairs) - 1))
    whole, *parts = (classification_metrics(*zip(*some, strict=True)) for some in (pairs, pairs[:cut], pairs[cut:]))
    assert pooled_metrics(part.confusion for part in parts) == whole


def test_nothing_cannot_be_pooled() -> None:
    with pytest.raises(DatasetError, match="at least one"):
        pooled_metrics([])


@pytest.mark.parametrize(
    ("labels", "predictions", "complaint"),
    [
        ([], [], "at least one"),
        ([0, 1], [0], "as many predictions"),
        ([[0]], [[0]], "as many predictions"),
        ([0, 6], [0, 0], "labels to be integers 0 … 5, got int64 from 0 to 6"),
        ([0, 0], [0, -1], "predictions to be integers"),
        ([0.0], [0], "got float64"),
    ],
)
def test_what_cannot_be_compared_is_refused(labels: list[int], predictions: list[int], complaint: str) -> None:
    with pytest.raises(DatasetError, match=complaint):
        classification_metrics(labels, predictions)
