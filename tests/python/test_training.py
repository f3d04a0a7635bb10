"""Training repeats bit for bit, resumes to the same weights, and says what is wrong."""

import csv
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hardwear.augmentation import Augmentation
from hardwear.datasets import Dataset, WindowSet, simulate_dataset, simulate_recordings, with_surroundings
from hardwear.errors import HardwearError, TrainingError
from hardwear.training import Normalization, Run, TrainingSettings, load_run, preset, preset_names, train
from hardwear.training.distillation import Teachers, taught
from hardwear.training.loop import _optimizer
from hardwear.training.run import network_inputs, weights_sha256


def _window_set(subjects: range, seed: int) -> WindowSet:
    """Six classes told apart by tone and tilt, 4 windows of each class a subject."""
    rng = np.random.default_rng(seed)
    labels = np.tile(np.arange(6).repeat(4), len(subjects))
    time = np.arange(128)[None, :, None]
    tone = np.sin(2 * np.pi * time * (1 + labels[:, None, None]) / 64 + rng.uniform(0, 6, (len(labels), 1, 6)))
    tilt = np.eye(6)[labels][:, None, :]
    windows = (tone + tilt + 0.1 * rng.standard_normal((len(labels), 128, 6))).astype(np.float32)
    return WindowSet(windows, labels, np.array(subjects).repeat(24), windows[..., :3].copy())


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return Dataset("SYNTHETIC", _window_set(range(1, 5), 1), _window_set(range(5, 7), 2), "ab" * 32, source="a test")


SETTINGS = TrainingSettings(
    epochs=3,
    batch_size=32,
    augmentation=Augmentation(rotation_degrees=10.0, scale=0.1, acc_noise=0.01, gyro_noise=0.01, tempo=0.05),
    threads=1,
)


class _StopAfter:
    """Progress that interrupts, as Ctrl-C does, once an epoch is done."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def __call__(self, done: int, total: int, detail: str = "") -> None:
        if done == self.epoch:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def run(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(dataset, SETTINGS, tmp_path_factory.mktemp("runs") / "first")


def _bytes(run: Run, name: str) -> bytes:
    return (run.folder / name).read_bytes()


def test_a_run_repeats_bit_for_bit(dataset: Dataset, run: Run, tmp_path: Path) -> None:
    torch.manual_seed(1234)  # what happened before in the process must not matter
    again = train(dataset, SETTINGS, tmp_path / "again")
    assert _bytes(again, "checkpoint.pt") == _bytes(run, "checkpoint.pt")
    assert _bytes(again, "curves.csv") == _bytes(run, "curves.csv")
    assert _bytes(again, "settings.json") == _bytes(run, "settings.json")


def test_another_seed_gives_another_run(dataset: Dataset, run: Run, tmp_path: Path) -> None:
    other = train(dataset, replace(SETTINGS, seed=1), tmp_path / "other")
    assert other.results.weights_sha256 != run.results.weights_sha256


@pytest.mark.parametrize("keep", ["last", "best"])
def test_an_interrupted_run_goes_on_to_the_weights_it_would_have_had(
    dataset: Dataset, tmp_path: Path, keep: str
) -> None:
    settings = replace(SETTINGS, validation_subjects=(2,), keep=keep)
    whole = train(dataset, settings, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(dataset, settings, tmp_path / "cut", _StopAfter(2))
    with pytest.raises(TrainingError, match="interrupted after epoch 2 of 3"):
        load_run(tmp_path / "cut")
    resumed = train(dataset, settings, tmp_path / "cut")
    assert _bytes(resumed, "checkpoint.pt") == _bytes(whole, "checkpoint.pt")
    assert _bytes(resumed, "curves.csv") == _bytes(whole, "curves.csv")


def test_training_leaves_the_process_as_it_was(dataset: Dataset, tmp_path: Path) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    threads = torch.get_num_threads()
    train(dataset, replace(SETTINGS, epochs=1), tmp_path / "run")
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_finished_run_is_returned_without_training(dataset: Dataset, run: Run) -> None:
    calls: list[int] = []
    again = train(dataset, SETTINGS, run.folder, lambda done, total, detail="": calls.append(done))
    assert calls == []
    assert again.results == run.results


def test_the_run_folder_holds_settings_metrics_curves_and_checkpoint(run: Run) -> None:
    assert {p.name for p in run.folder.iterdir()} == {"settings.json", "metrics.json", "curves.csv", "checkpoint.pt"}
    description = json.loads(_bytes(run, "settings.json"))
    assert TrainingSettings.from_json(description["settings"]) == SETTINGS
    assert description["data"] == {"name": "SYNTHETIC", "sha256": "ab" * 32, "recordings_sha256": None}
    rows = list(csv.DictReader((run.folder / "curves.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[-1]["train_loss"]) < float(rows[0]["train_loss"])
    total = float(rows[0]["cross_entropy"]) + SETTINGS.center_weight * float(rows[0]["center_loss"])
    assert float(rows[0]["train_loss"]) == pytest.approx(total, rel=1e-5)


def test_a_network_learns_and_is_measured_on_the_test_subjects(dataset: Dataset, tmp_path: Path) -> None:
    run = train(dataset, replace(SETTINGS, epochs=24), tmp_path / "run")
    predictions = run.logits(dataset.test.windows).argmax(axis=1)
    assert run.metrics == run.results.test
    assert run.metrics.accuracy == np.mean(predictions == dataset.test.labels)
    assert run.metrics.macro_f1 > 0.9


def test_normalization_is_measured_on_the_windows_learnt_from_only(dataset: Dataset, tmp_path: Path) -> None:
    run = train(dataset, replace(SETTINGS, epochs=1, validation_subjects=(1, 3)), tmp_path / "run")
    learnt_from = dataset.train.windows[np.isin(dataset.train.subjects, (2, 4))].astype(np.float64)
    np.testing.assert_allclose(run.normalization.mean, learnt_from.mean(axis=(0, 1)), rtol=1e-12)
    np.testing.assert_allclose(run.normalization.std, learnt_from.std(axis=(0, 1)), rtol=1e-12)


def test_validation_subjects_are_not_learnt_from_nor_the_test_subjects_read(dataset: Dataset, tmp_path: Path) -> None:
    """Changing the windows of neither changes the weights."""
    settings = replace(SETTINGS, epochs=1, validation_subjects=(3,), read_test=False)
    run = train(dataset, settings, tmp_path / "run")
    windows = dataset.train.windows.copy()
    windows[dataset.train.subjects == 3] += 1.0
    changed = replace(
        dataset,
        train=replace(dataset.train, windows=windows),
        test=replace(dataset.test, windows=2.0 * dataset.test.windows),
    )
    again = train(changed, settings, tmp_path / "again")
    assert again.results.weights_sha256 == run.results.weights_sha256
    assert run.results.test is None
    assert run.results.validation is not None
    assert run.metrics == run.results.validation
    assert run.measured_on == "what was held out"


def test_best_keeps_the_epoch_of_highest_validation_score(dataset: Dataset, tmp_path: Path) -> None:
    run = train(dataset, replace(SETTINGS, validation_subjects=(2,), keep="best"), tmp_path / "run")
    scores = [float(row["validation_macro_f1"]) for row in csv.DictReader((run.folder / "curves.csv").open())]
    assert run.results.validation is not None
    assert run.results.validation.macro_f1 == max(scores)
    assert run.results.epoch == 1 + scores.index(max(scores))


def test_batch_norm_is_measured_on_the_unaugmented_training_windows(dataset: Dataset, tmp_path: Path) -> None:
    run = train(dataset, SETTINGS, tmp_path / "run")
    state = torch.load(run.folder / "checkpoint.pt", weights_only=True)["network"]
    inputs = torch.from_numpy(run.normalization.apply(dataset.train.windows)).transpose(1, 2)
    first = torch.nn.functional.conv1d(inputs, state["body.1.weight"][:, :, 0], state["body.1.bias"], padding=2)
    torch.testing.assert_close(state["body.2.running_mean"], first.mean(dim=(0, 2)), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(state["body.2.running_var"], first.var(dim=(0, 2)), atol=1e-4, rtol=1e-4)


def test_loss_without_center_loss_is_cross_entropy(dataset: Dataset, tmp_path: Path) -> None:
    run = train(dataset, replace(SETTINGS, epochs=1, center_weight=0.0), tmp_path / "run")
    row = next(csv.DictReader((run.folder / "curves.csv").open()))
    assert row["train_loss"] == row["cross_entropy"]


def test_center_loss_gathers_the_classes_at_no_cost_of_accuracy(dataset: Dataset, tmp_path: Path) -> None:
    """Centres are followed with weight 0 too, so that the curves of both runs can be compared."""
    center_loss, accuracy = [], []
    for weight in (0.0, 0.1):
        run = train(dataset, replace(SETTINGS, epochs=24, center_weight=weight), tmp_path / str(weight))
        *_, last = csv.DictReader((run.folder / "curves.csv").open())
        center_loss.append(float(last["center_loss"]))
        accuracy.append(run.metrics.accuracy)
    assert center_loss[1] < 0.7 * center_loss[0]
    assert accuracy[1] > 0.9


def test_a_loss_that_is_not_finite_names_epoch_and_batch_and_keeps_the_last_good_epoch(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(dataset, SETTINGS, tmp_path / "run", _StopAfter(2))
    kept = (tmp_path / "run" / "checkpoint.pt").read_bytes()

    def poison(windows: torch.Tensor, *_: Any) -> torch.Tensor:
        return windows * torch.nan

    monkeypatch.setattr("hardwear.training.loop.augment", poison)
    with pytest.raises(TrainingError, match=r"epoch 3, batch 1 of 3: .*NaN.*checkpoint of epoch 2 is kept"):
        train(dataset, SETTINGS, tmp_path / "run")
    assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == kept


def test_weights_that_break_in_the_last_step_of_an_epoch_are_not_saved(dataset: Dataset, tmp_path: Path) -> None:
    settings = replace(SETTINGS, batch_size=96, learning_rate=10.0, weight_decay=10.0, center_weight=1e3)
    with pytest.raises(TrainingError, match=r"epoch \d+, batch \d of 1: expected .*finite .*; lower the learning rate"):
        train(dataset, replace(settings, epochs=200), tmp_path / "run")
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in state["network"].values())


def test_a_folder_of_another_run_is_refused_naming_the_difference(dataset: Dataset, run: Run) -> None:
    before = _bytes(run, "checkpoint.pt")
    with pytest.raises(TrainingError, match=r"seed is 0 there and 5 here; name another folder"):
        train(dataset, replace(SETTINGS, seed=5), run.folder)
    with pytest.raises(TrainingError, match="sha256"):
        train(replace(dataset, sha256="cd" * 32), SETTINGS, run.folder)
    assert _bytes(run, "checkpoint.pt") == before


def test_a_run_from_before_a_setting_was_known_is_the_same_run_if_that_has_its_default(
    dataset: Dataset, run: Run, tmp_path: Path
) -> None:
    before = shutil.copytree(run.folder, tmp_path / "before")
    held = json.loads((before / "settings.json").read_text())
    del held["settings"]["teachers"], held["settings"]["augmentation"]["acc_offset"]
    (before / "settings.json").write_text(json.dumps(held))
    assert train(dataset, SETTINGS, before).results == run.results
    with pytest.raises(TrainingError, match="teachers is 0 there and 2 here"):
        train(dataset, replace(SETTINGS, teachers=2), before)
    held["settings"]["of_tomorrow"] = 1
    (before / "settings.json").write_text(json.dumps(held))
    with pytest.raises(TrainingError, match=r"before to hold the same run.*got 'of_tomorrow'; name another folder"):
        train(dataset, SETTINGS, before)


def test_a_folder_of_something_else_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(TrainingError, match="absent, empty or a run folder"):
        train(dataset, SETTINGS, tmp_path)
    with pytest.raises(TrainingError, match="absent, empty or a run folder"):
        train(dataset, SETTINGS, tmp_path / "thesis.tex")


def _cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def _swap_weights(path: Path) -> None:
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["network"]["classifier.bias"] += 1.0
    torch.save(checkpoint, path)


@pytest.mark.parametrize(
    ("name", "damage", "complaint"),
    [
        ("checkpoint.pt", Path.unlink, "without checkpoint.pt"),
        ("checkpoint.pt", _cut_short, "expected a checkpoint"),
        ("checkpoint.pt", _swap_weights, "got others"),
        ("metrics.json", Path.unlink, "expected JSON"),
        ("metrics.json", lambda path: path.write_text("{}"), "damaged"),
        ("settings.json", lambda path: path.write_text("[]"), "JSON object"),
    ],
)
def test_a_damaged_run_is_refused(
    run: Run, tmp_path: Path, name: str, damage: Callable[[Path], object], complaint: str
) -> None:
    for path in run.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    damage(tmp_path / name)
    with pytest.raises(TrainingError, match=complaint):
        load_run(tmp_path)


def test_cuda_where_there_is_none_is_refused(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TrainingError, match="expected a CUDA device"):
        train(dataset, replace(SETTINGS, device="cuda"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_validation_subject_who_is_not_there_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(HardwearError, match="99"):
        train(dataset, replace(SETTINGS, validation_subjects=(1, 99)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"network": "resnet"}, "network to be one of compact, .*, deepconvlstm, got 'resnet'"),
        ({"keep": "first"}, "keep to be one of last, best"),
        ({"device": "tpu"}, "device to be one of cpu, cuda"),
        ({"epochs": 0}, r"epochs in \[1, "),
        ({"epochs": "12"}, "epochs to be int, got '12'"),
        ({"dropout": 1.0}, r"dropout in \[0, 0.99\]"),
        ({"center_rate": 1.5}, r"center_rate in \[0, 1\]"),
        ({"learning_rate": float("nan")}, "learning_rate in"),
        ({"validation_subjects": ("1",)}, "validation_subjects"),
        ({"keep": "best"}, "validation_share with keep 'best'"),
        ({"read_test": False}, "nothing to measure on"),
        ({"validation_share": 0.3, "validation_subjects": (1,)}, "got both"),
        ({"teacher_network": "resnet"}, "teacher_network to be one of , compact, compact-plain, nano"),
        ({"teacher_weight": 1.5}, r"teacher_weight in \[0, 1\]"),
        ({"optimizer": "sgd"}, "optimizer to be one of adamw, adam, rmsprop"),
        ({"schedule": "step"}, "schedule to be one of cosine, constant"),
        ({"acceleration": "jerk"}, "acceleration to be one of total_acc, body_acc"),
        ({"validation_by": "fold"}, "validation_by to be one of subject, window"),
    ],
)
def test_settings_that_make_no_sense_are_refused_listing_what_does(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(TrainingError, match=complaint):
        replace(TrainingSettings(), **change)


def test_settings_survive_json_and_unknown_names_are_refused() -> None:
    for name in preset_names():
        settings = replace(preset(name), validation_subjects=(1, 3), validation_share=0.0)
        assert TrainingSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    with pytest.raises(TrainingError, match=r"settings out of network, epochs, .*, got 'epoch'"):
        TrainingSettings.from_json({"epoch": 3})
    with pytest.raises(TrainingError, match=r"augmentation out of rotation_degrees, .*, got 'flip'"):
        TrainingSettings.from_json({"augmentation": {"flip": 1}})
    with pytest.raises(TrainingError, match=r"preset to be one of demo, shipped, .*, got 'best'"):
        preset("best")


def test_settings_are_changed_as_a_command_line_names_them() -> None:
    changed = TrainingSettings().changed(
        ["learning_rate=1e-3", "validation_subjects=1,3", "keep = best", "augmentation.scale=0.05", "read_test=false"]
    )
    assert changed == replace(
        TrainingSettings(),
        learning_rate=1e-3,
        validation_subjects=(1, 3),
        keep="best",
        augmentation=replace(TrainingSettings().augmentation, scale=0.05),
        read_test=False,
    )
    assert changed.changed(["validation_subjects=7"]).validation_subjects == (7,)
    assert changed.changed(["validation_subjects=", "keep=last", "read_test=true"]).validation_subjects == ()


_ALL_NAMES = r"NAME=VALUE with a name out of network, epochs, .*, threads, augmentation\.rotation_degrees, .*"


@pytest.mark.parametrize(
    ("assignment", "complaint"),
    [
        ("epochs", rf"{_ALL_NAMES}, got 'epochs'$"),
        ("augmentation=0", rf"{_ALL_NAMES}, got 'augmentation=0'$"),
        ("optimizer.lr=1", rf"{_ALL_NAMES}, got 'optimizer.lr=1'$"),
        ("epoch=3", rf"{_ALL_NAMES}, got 'epoch=3'$"),
        ("augmentation.flip=1", rf"{_ALL_NAMES}, got 'augmentation.flip=1'$"),
        ("epochs=many", "epochs to be int, got 'many'"),
        ("epochs=1.5", "epochs to be int, got 1.5"),
        ("validation_subjects=anna", "validation_subjects"),
        ("augmentation.scale=loud", "augmentation.scale to be a number"),
        ("augmentation.scale=true", "augmentation.scale to be a number"),
        ("keep=first", "keep to be one of last, best, got 'first'"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_listing_what_does(assignment: str, complaint: str) -> None:
    with pytest.raises(TrainingError, match=complaint):
        TrainingSettings().changed([assignment])


@pytest.mark.parametrize("name", ["adam", "adamw", "rmsprop"])
def test_weight_decay_is_decoupled_or_a_penalty_as_the_optimizer_says(name: str, dataset: Dataset) -> None:
    """A penalty reaches Adam's and RMSProp's gradient and is rescaled with it; AdamW shrinks the weight by itself."""
    settings = replace(SETTINGS, optimizer=name, learning_rate=0.01, weight_decay=0.5)
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(network.weight, 2.0)
    optimizer = _optimizer(network, settings)  # type: ignore[arg-type]
    network.weight.grad = torch.zeros(1, 1)
    optimizer.step()
    gradient = 0.5 * 2.0
    step = {"adamw": 0.01 * gradient, "adam": 0.01, "rmsprop": 0.01 / np.sqrt(0.1)}[name]
    assert network.weight.item() == pytest.approx(2.0 - step, rel=1e-4)


def test_windows_are_cut_anew_from_their_surroundings_if_asked_for(tmp_path: Path) -> None:
    """The same windows, in other surroundings, give other weights; without surroundings the run does not begin."""
    simulated = simulate_dataset()
    settings = replace(SETTINGS, epochs=1, augmentation=Augmentation(shift_samples=32))
    with pytest.raises(TrainingError, match=r"with their surroundings .*with_surroundings"):
        train(simulated, settings, tmp_path / "without")
    assert not (tmp_path / "without").exists()
    dataset = with_surroundings(simulated, simulate_recordings())
    run = train(dataset, settings, tmp_path / "run")
    assert run.data.recordings_sha256 == dataset.recordings_sha256
    unshifted = train(dataset, replace(settings, augmentation=Augmentation()), tmp_path / "unshifted")
    assert unshifted.results.weights_sha256 != run.results.weights_sha256
    assert unshifted.data.recordings_sha256 is None


def test_teachers_are_trained_first_with_seeds_of_their_own(dataset: Dataset, run: Run, tmp_path: Path) -> None:
    settings = replace(SETTINGS, seed=7, teachers=2, teacher_network="nano")
    student = train(dataset, settings, tmp_path / "run")
    teachers = [load_run(tmp_path / "run" / "teachers" / f"nano-seed{seed}") for seed in (0, 1)]
    untaught = replace(settings, network="nano", teachers=0, teacher_network="")
    assert [t.settings for t in teachers] == [replace(untaught, seed=0), replace(untaught, seed=1)]
    assert train(dataset, replace(settings, teachers=0), tmp_path / "alone").results != student.results

    shared = train(dataset, settings, tmp_path / "again", teachers_in=tmp_path / "run" / "teachers")
    assert _bytes(shared, "checkpoint.pt") == _bytes(student, "checkpoint.pt")
    assert not (tmp_path / "again" / "teachers").exists()


def test_an_interrupted_student_goes_on_to_the_weights_it_would_have_had(dataset: Dataset, tmp_path: Path) -> None:
    settings = replace(SETTINGS, teachers=1)
    whole = train(dataset, settings, tmp_path / "whole")
    for epoch in (1, 2):  # once within the teacher, once within the student
        with pytest.raises(KeyboardInterrupt):
            train(dataset, settings, tmp_path / "cut", _StopAfter(epoch))
    assert _bytes(train(dataset, settings, tmp_path / "cut"), "checkpoint.pt") == _bytes(whole, "checkpoint.pt")


def test_teachers_of_other_settings_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=1, teachers=1)
    train(dataset, settings, tmp_path / "one", teachers_in=tmp_path / "teachers")
    with pytest.raises(TrainingError, match=r"dropout is 0.3 there and 0.1 here"):
        train(dataset, replace(settings, dropout=0.1), tmp_path / "two", teachers_in=tmp_path / "teachers")


def test_the_teachers_mean_is_mixed_with_the_labels_by_weight(dataset: Dataset, run: Run, tmp_path: Path) -> None:
    other = train(dataset, replace(SETTINGS, seed=3, epochs=1), tmp_path / "other")
    windows = dataset.test.windows[:5]
    each = [torch.from_numpy(r.logits(windows)).softmax(dim=1) for r in (run, other)]
    teachers = Teachers((run, other), torch.device("cpu"))
    probabilities = teachers.probabilities(torch.from_numpy(windows))
    torch.testing.assert_close(probabilities, (each[0] + each[1]) / 2)
    logits, labels = torch.randn(5, 6), torch.arange(5)
    hard = torch.nn.functional.cross_entropy(logits, labels)
    soft = -(probabilities * logits.log_softmax(dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(taught(hard, logits, probabilities, 0.7), 0.3 * hard + 0.7 * soft)
    assert teachers
    assert not Teachers((), torch.device("cpu"))


def test_tensorboard_gets_the_curves_if_asked_for(dataset: Dataset, run: Run, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logged = train(dataset, SETTINGS, tmp_path / "run", tensorboard=True)
    assert logged.results.weights_sha256 == run.results.weights_sha256
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    rows = list(csv.DictReader((run.folder / "curves.csv").open()))
    assert set(events.Tags()["scalars"]) == set(rows[0]) - {"epoch"}
    written = [(event.step, pytest.approx(event.value, rel=1e-5)) for event in events.Scalars("train_loss")]
    assert [(int(row["epoch"]), float(row["train_loss"])) for row in rows] == written


def test_tensorboard_asked_for_but_absent_is_one_clear_error(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(TrainingError, match=r"pip install \"hardwear\[tensorboard\]\""):
        train(dataset, SETTINGS, tmp_path / "run", tensorboard=True)


def test_a_constant_schedule_is_constant(dataset: Dataset, tmp_path: Path) -> None:
    run = train(dataset, replace(SETTINGS, schedule="constant"), tmp_path / "run")
    rates = {row["learning_rate"] for row in csv.DictReader((run.folder / "curves.csv").open())}
    assert rates == {str(SETTINGS.learning_rate)}


def test_a_run_scores_the_last_epoch_and_the_best_and_keeps_the_one_that_was_asked_for(
    dataset: Dataset, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, validation_share=0.25, validation_by="window", epochs=4)
    last = train(dataset, settings, tmp_path / "last")
    best = train(dataset, replace(settings, keep="best"), tmp_path / "best")
    assert last.results.last == best.results.last
    assert last.results.best == best.results.best
    assert last.results.best is not None
    assert last.metrics == last.results.last.test
    assert best.metrics == last.results.best.test
    predictions = best.logits(dataset.test.windows).argmax(axis=1)
    assert best.metrics.accuracy == np.mean(predictions == dataset.test.labels)


def test_a_share_of_subjects_holds_out_whole_people(dataset: Dataset, tmp_path: Path) -> None:
    run = train(dataset, replace(SETTINGS, epochs=1, validation_share=0.25), tmp_path / "run")
    assert run.results.validation is not None
    assert np.sum(run.results.validation.confusion) == 24


def test_body_acceleration_takes_the_place_of_the_acceleration(dataset: Dataset, tmp_path: Path) -> None:
    run = train(dataset, replace(SETTINGS, epochs=8, acceleration="body_acc"), tmp_path / "run")
    inputs = network_inputs(dataset.test, "body_acc")
    np.testing.assert_array_equal(inputs[..., :3], dataset.test.body_acc)
    np.testing.assert_array_equal(inputs[..., 3:], dataset.test.windows[..., 3:])
    assert run.metrics.accuracy == np.mean(run.logits(inputs).argmax(axis=1) == dataset.test.labels)


def test_embeddings_are_what_the_classifier_sees(dataset: Dataset, run: Run) -> None:
    windows = dataset.test.windows
    embeddings = run.embeddings(windows)
    classifier = run.network.classifier
    expected = embeddings @ classifier.weight.detach().numpy().T + classifier.bias.detach().numpy()
    np.testing.assert_allclose(run.logits(windows), expected, rtol=1e-4, atol=1e-5)


def test_a_constant_channel_cannot_be_normalised() -> None:
    windows = np.ones((4, 128, 6), np.float32)
    with pytest.raises(TrainingError, match="acc_x to have a finite mean and a deviation above 0"):
        Normalization.of(windows)


def test_normalised_windows_have_mean_zero_and_deviation_one(dataset: Dataset) -> None:
    windows = dataset.train.windows
    normalised = Normalization.of(windows).apply(windows)
    assert normalised.dtype == np.float32
    np.testing.assert_allclose(normalised.mean(axis=(0, 1)), 0.0, atol=1e-5)
    np.testing.assert_allclose(normalised.std(axis=(0, 1)), 1.0, atol=1e-5)


def test_the_hash_of_weights_sees_every_value_shape_and_name() -> None:
    state = {"a": torch.zeros(4), "b": torch.ones(2, 3)}
    others = [
        {"a": torch.zeros(4), "b": torch.ones(3, 2)},
        {"a": torch.zeros(4), "c": torch.ones(2, 3)},
        {"a": torch.tensor([0.0, 0.0, 0.0, 1e-30]), "b": torch.ones(2, 3)},
    ]
    assert weights_sha256(state) == weights_sha256(dict(reversed(state.items())))
    assert len({weights_sha256(s) for s in [state, *others]}) == 4
