"""The temperature comes from people held out and nobody else; the study ends in a file, a picture and a page."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_cli import hardwear

from hardwear.bundle import Bundle
from hardwear.contract import SYNTHETIC_HEADING
from hardwear.datasets import Dataset, simulate_dataset
from hardwear.errors import StudyError
from hardwear.reliability import fit_temperature
from hardwear.studies.calibration import answers_of_fold, calibrate
from hardwear.studies.page import PAGE, render_page
from hardwear.training import TrainingSettings, load_run, preset, train

FOLDS = ((1, 5, 6), (3, 7, 11))
SETTINGS = replace(preset("demo"), epochs=1)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    made = simulate_dataset()
    return replace(made, test=made.test.select(np.arange(0, len(made.test), 6)))


def fold(dataset: Dataset, folder: Path, settings: TrainingSettings, subjects: tuple[int, ...]) -> None:
    train(dataset, replace(settings, validation_subjects=subjects, read_test=False), folder)


@pytest.fixture(scope="module")
def runs(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for number, subjects in enumerate(FOLDS):
        fold(dataset, folder / f"fold{number}", SETTINGS, subjects)
    (folder / "fold0-teachers").mkdir()  # what a fold learnt from lies beside it and is no fold
    return folder


@pytest.fixture(scope="module")
def bundle(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bundle")
    run = train(dataset, SETTINGS, folder / "run")
    return Bundle.create(run, dataset, folder / "bundle", temperature=2.0)


def test_a_fold_answers_for_those_it_held_out_and_learnt_nothing_of(dataset: Dataset, runs: Path) -> None:
    answers = answers_of_fold(load_run(runs / "fold0"), dataset)
    theirs = np.isin(dataset.train.subjects, FOLDS[0])
    assert np.array_equal(answers.labels, dataset.train.labels[theirs])
    assert answers.logits.dtype == np.int8
    exact = load_run(runs / "fold0").logits(dataset.train.windows[theirs])
    told, meant = (logits - logits.mean(axis=1, keepdims=True) for logits in (answers.real, exact))
    assert np.median(np.abs(told - meant)) < 2 * answers.scale  # int8 of that network, window by window
    assert np.corrcoef(told.ravel(), meant.ravel())[0, 1] > 0.99


def test_the_temperature_is_of_the_folds_alone_and_both_parts_are_measured(
    dataset: Dataset, runs: Path, bundle: Bundle, tmp_path: Path
) -> None:
    results = calibrate(bundle, dataset, runs, "compact", tmp_path, "hardwear study calibration …")
    held_out = [answers_of_fold(load_run(runs / f"fold{k}"), dataset) for k in range(len(FOLDS))]
    real, labels = np.concatenate([a.real for a in held_out]), np.concatenate([a.labels for a in held_out])
    document = json.loads(results.path.read_text())
    summary, rows = document["summary"], document["rows"]
    assert results.path == tmp_path / "results" / "calibration_compact.json"
    assert summary["temperature"] == fit_temperature(real, labels)
    assert summary["temperature_of_bundle"] == 2.0
    assert rows["fold1"]["held_out"] == list(FOLDS[1])
    assert rows["held_out_after"]["nll"] < rows["held_out_before"]["nll"]
    assert rows["test_before"]["windows"] == len(dataset.test)
    assert rows["test_before"]["temperature"] == 1.0
    assert (
        rows["test_before"]["accuracy"] == rows["test_after"]["accuracy"] == bundle.manifest.metrics["int8"]["accuracy"]
    )
    assert document["of"]["model_sha256"] == bundle.manifest.hashes["model.tflite"]
    assert document["data"] == {"SYNTHETIC": dataset.sha256}

    # With other answers on the test subjects the temperature stays: they have no say in it.
    shuffled = replace(dataset, test=replace(dataset.test, labels=dataset.test.labels[::-1].copy()))
    again = calibrate(bundle, shuffled, runs, "compact", tmp_path / "again", "…")
    assert again.rows["test_after"]["temperature"] == summary["temperature"]
    assert again.rows["test_after"]["ece"] != rows["test_after"]["ece"]
    assert json.loads(again.path.read_text())["rows"]["held_out_after"] == rows["held_out_after"]

    page = render_page(tmp_path, synthetic=True).read_text()
    assert f"**T = {summary['temperature']:g}**" in page
    assert f"{summary['test_before_ece']:.4f} | {summary['test_after_ece']:.4f}" in page
    assert (tmp_path / "pictures" / "calibration_compact.png").stat().st_size > 10_000
    assert render_page(tmp_path, synthetic=True).read_text() == page


def test_folders_that_are_no_folds_of_the_bundle_are_refused(
    dataset: Dataset, runs: Path, bundle: Bundle, tmp_path: Path
) -> None:
    def refused(folder: Path, match: str, data: Dataset = dataset, of: Bundle = bundle) -> None:
        with pytest.raises(StudyError, match=match):
            calibrate(of, data, folder, "compact", tmp_path / "out", "…")

    refused(tmp_path / "nothing", "hardwear study seeds")
    refused(runs, "name that data", replace(dataset, sha256="0" * 64))
    other = replace(bundle.manifest, network=replace(bundle.manifest.network, name="nano"))
    refused(runs, "folds of the bundle's network nano, got compact", of=replace(bundle, manifest=other))

    twice = tmp_path / "twice"
    for number in range(2):
        fold(dataset, twice / f"fold{number}", SETTINGS, (1, 5))
    refused(twice, r"no other fold does, got \[1, 5\]")
    mixed = tmp_path / "mixed"
    fold(dataset, mixed / "fold0", SETTINGS, (1, 5))
    fold(dataset, mixed / "fold1", replace(SETTINGS, seed=1), (3, 7))
    refused(mixed, "folds of one setting")
    nobody = tmp_path / "nobody"
    train(dataset, SETTINGS, nobody / "fold0")
    refused(nobody, "got none")
    assert not (tmp_path / "out").exists()


def test_the_verb_ends_in_files_headed_synthetic(runs: Path, bundle: Bundle, tmp_path: Path) -> None:
    done = hardwear("study", "calibration", bundle.path, "--synthetic", "--out", tmp_path, "--runs", runs, "--json")
    assert done.returncode == 0, done.stderr
    temperature = json.loads(done.stdout)["summary"]["temperature"]
    assert 0.01 <= temperature <= 100
    page = (tmp_path / PAGE).read_text()
    assert SYNTHETIC_HEADING in page
    assert f"**T = {temperature:g}**" in page
