"""The table of experiments holds together, and the paper's figures are the paper's."""

import statistics

import pytest

from hardwear.baselines import SvmSettings
from hardwear.contract import CLASSES
from hardwear.datasets import Dataset, split_by_window
from hardwear.errors import TrainingError
from hardwear.reproduction.published import (
    PUBLISHED,
    TEST_WINDOWS,
    TRAINING_WINDOWS,
    VALIDATION_SHARE,
    VALIDATION_WINDOWS,
)
from hardwear.reproduction.results import essence
from hardwear.reproduction.table import EXPERIMENTS, LAMBDAS, PARTS, choose, experiments
from hardwear.training import TrainingSettings


def test_the_papers_figures_are_exact() -> None:
    assert [p.macro_f1 for p in PUBLISHED.values()] == [0.893, 0.915, 0.910, 0.920, 0.942]
    ce, center = PUBLISHED["ce"], PUBLISHED["center"]
    assert (ce.accuracy, ce.precision, ce.recall) == (0.916, 0.922, 0.919)
    assert (center.accuracy, center.precision, center.recall) == (0.940, 0.942, 0.942)
    names = ("SITTING", "STANDING", "LAYING", "WALKING", "WALKING_UPSTAIRS", "WALKING_DOWNSTAIRS")
    assert ce.recall_by_class is not None
    assert center.recall_by_class is not None
    assert [ce.recall_by_class[name] for name in names] == [0.892, 0.897, 0.840, 0.988, 0.910, 0.988]
    assert [center.recall_by_class[name] for name in names] == [0.884, 0.930, 0.898, 0.996, 0.957, 0.986]


@pytest.mark.parametrize("method", ["ce", "center"])
def test_the_papers_recalls_average_to_its_recall(method: str) -> None:
    published = PUBLISHED[method]
    assert published.recall_by_class is not None
    assert set(published.recall_by_class) == set(CLASSES)
    assert statistics.fmean(published.recall_by_class.values()) == pytest.approx(published.recall, abs=6e-4)


def test_names_are_unique_and_every_row_is_of_the_paper() -> None:
    assert len({e.name for e in EXPERIMENTS}) == len(EXPERIMENTS)
    assert {e.part for e in EXPERIMENTS} == set(PARTS)
    assert {e.method for e in experiments("main")} == set(PUBLISHED)
    assert all(e.method in PUBLISHED for e in EXPERIMENTS)


def test_published_settings_are_those_of_the_paper() -> None:
    for method, weight in (("ce", 0.0), ("center", 0.01)):
        for experiment in experiments("main", method):
            settings = experiment.settings
            assert isinstance(settings, TrainingSettings)
            assert settings.network == "paper"
            assert (settings.optimizer, settings.learning_rate, settings.schedule) == ("adam", 1e-3, "constant")
            assert (settings.batch_size, settings.center_weight, settings.center_rate) == (32, weight, 0.1)
            assert (settings.label_smoothing, settings.dropout) == (0.0, 0.0)
            assert 300 in experiment.epochs
            assert len(experiment.seeds) == 5


def test_every_open_reading_is_run_both_ways() -> None:
    settings = [e.settings for e in experiments("readings") if isinstance(e.settings, TrainingSettings)]
    assert {s.acceleration for s in settings} == {"total_acc", "body_acc"}
    assert {s.validation_by for s in settings} == {"subject", "window"}
    assert {(s.weight_decay, s.optimizer) for s in settings} == {(0.0, "adam"), (0.02, "adam"), (0.02, "adamw")}
    without = {s for s in settings if s.center_weight == 0.0}
    assert len(without) == len(settings) / 2


def test_the_sweep_differs_in_the_weight_alone() -> None:
    settings = [e.settings for e in experiments("sweep")]
    assert [s.center_weight for s in settings if isinstance(s, TrainingSettings)] == list(LAMBDAS)
    assert len({(s.acceleration, s.validation_by) for s in settings}) == 1


def test_equal_settings_of_two_parts_are_one_run() -> None:
    sweep = {essence(row.settings(0)) for row in choose("sweep")}
    main = {essence(row.settings(0)) for row in choose("ce-body@20,center-body@20")}
    assert main < sweep


def test_rows_are_chosen_by_part_experiment_and_epochs() -> None:
    assert [row.name for row in choose("ce-body")] == ["ce-body@20", "ce-body@300"]
    assert [row.name for row in choose("ce-body@300,svm-total")] == ["svm-total", "ce-body@300"]
    assert {row.experiment.part for row in choose("sweep")} == {"sweep"}
    assert [row.name for row in choose("cnn-body", epochs=7)] == ["cnn-body@7"]
    assert [row.name for row in choose("svm-body", epochs=7)] == ["svm-body"]
    assert {row.experiment for row in choose()} == set(EXPERIMENTS)


def test_a_row_gives_each_seed_its_settings() -> None:
    (row,) = choose("center-total@300")
    first, second = row.settings(3), row.settings(4)
    assert isinstance(first, TrainingSettings)
    assert (first.epochs, first.seed, second.seed) == (300, 3, 4)
    (svm,) = choose("svm-total")
    assert isinstance(svm.settings(2), SvmSettings)
    assert svm.settings(2).seed == 2


def test_an_unknown_row_is_answered_with_the_known_ones() -> None:
    with pytest.raises(TrainingError, match=r"main, sweep, readings, svm-body.*'ce-bdoy'"):
        choose("svm-body,ce-bdoy")
    with pytest.raises(TrainingError, match="20 or 300"):
        choose("ce-body@21")


@pytest.mark.data
def test_the_split_has_the_papers_sizes(uci_har: Dataset) -> None:
    training, validation = split_by_window(uci_har.train, VALIDATION_SHARE, seed=0)
    assert (len(training), len(validation), len(uci_har.test)) == (TRAINING_WINDOWS, VALIDATION_WINDOWS, TEST_WINDOWS)
