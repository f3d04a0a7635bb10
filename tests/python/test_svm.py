"""The support vector machine: what it learns from, what it chooses by, and that it repeats."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold

from hardwear.baselines import Svm, SvmSettings, train_svm
from hardwear.datasets import Dataset, simulate_dataset, split_by_window
from hardwear.errors import TrainingError

SETTINGS = SvmSettings(validation_share=0.3, penalties=(1.0, 10.0), widths=(0.3, 1.0), folds=2)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    whole = simulate_dataset()
    return replace(whole, train=whole.train.select(np.arange(len(whole.train)) % 3 == 0))


@pytest.fixture(scope="module")
def svm(dataset: Dataset) -> Svm:
    return train_svm(dataset, SETTINGS)


def test_it_tells_simulated_activities_apart(dataset: Dataset, svm: Svm) -> None:
    assert svm.test.macro_f1 > 0.9
    assert svm.test.accuracy == np.mean(svm.predict(dataset.test) == dataset.test.labels)


def test_it_holds_out_the_windows_that_a_network_of_the_same_seed_holds_out(dataset: Dataset, svm: Svm) -> None:
    _, held_out = split_by_window(dataset.train, SETTINGS.validation_share, SETTINGS.seed)
    assert svm.validation is not None
    assert sum(map(sum, svm.validation.confusion)) == len(held_out)


def test_the_choice_is_the_best_of_the_cross_validation(svm: Svm) -> None:
    assert len(svm.cross_validation) == 4
    best = max(svm.cross_validation, key=lambda name: svm.cross_validation[name])
    assert best == f"C {svm.penalty:g}, width {svm.width:g}"
    choice = svm.choice()
    assert choice["gamma"] == pytest.approx(svm.width / len(svm.features))
    assert choice["features"] == len(svm.features)


def test_folds_share_no_subject(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[set[int], set[int]]] = []

    class Watching(GroupKFold):  # type: ignore[misc]
        def split(self, X, y=None, groups=None):  # type: ignore[no-untyped-def]
            for train, test in super().split(X, y, groups):
                seen.append((set(groups[train]), set(groups[test])))
                yield train, test

    monkeypatch.setattr("hardwear.baselines.svm.GroupKFold", Watching)
    train_svm(dataset, replace(SETTINGS, penalties=(1.0,), widths=(1.0,)))
    assert len(seen) == 2
    assert [first & second for first, second in seen] == [set(), set()]


def test_it_repeats_and_another_split_gives_another_machine(dataset: Dataset, svm: Svm) -> None:
    again = train_svm(dataset, SETTINGS)
    assert (again.sha256, again.test) == (svm.sha256, svm.test)
    assert train_svm(dataset, replace(SETTINGS, seed=1)).sha256 != svm.sha256


def test_without_gravity_no_feature_speaks_of_it(dataset: Dataset) -> None:
    settings = replace(SETTINGS, acceleration="body_acc", penalties=(1.0,), widths=(1.0,))
    svm = train_svm(dataset, settings)
    assert [name for name in svm.features if "gravity" in name] == []
    shifted = replace(dataset.test, windows=dataset.test.windows + np.float32([0.4, 0.2, -0.3, 0, 0, 0]))
    np.testing.assert_array_equal(svm.predict(shifted), svm.predict(dataset.test))


def test_settings_survive_json_and_refuse_nonsense() -> None:
    assert SvmSettings.from_json(SETTINGS.to_json()) == SETTINGS
    with pytest.raises(TrainingError, match="total_acc, body_acc"):
        SvmSettings(acceleration="acc")
    with pytest.raises(TrainingError, match="penalties"):
        SvmSettings(penalties=())
    with pytest.raises(TrainingError, match="folds"):
        SvmSettings(folds=1)
    with pytest.raises(TrainingError, match="kernel"):
        SvmSettings.from_json({"kernel": "rbf"})


def test_fewer_subjects_than_folds_are_refused(dataset: Dataset) -> None:
    one = replace(dataset, train=dataset.train.select(dataset.train.subjects == 1))
    with pytest.raises(TrainingError, match="2 subjects"):
        train_svm(one, SETTINGS)


@pytest.mark.data
def test_it_reaches_what_hand_made_features_are_known_to_reach(uci_har: Dataset) -> None:
    """UCI-HAR's own features and a support vector machine reach 96 % (Anguita et al., 2013)."""
    svm = train_svm(uci_har, SvmSettings(penalties=(10.0,), widths=(0.3,)))
    assert svm.validation is None
    assert svm.test.macro_f1 > 0.96
