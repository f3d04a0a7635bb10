"""Disturbances do what their names say, nothing more, and undisturbed windows are the published ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardwear.bundle import Bundle
from hardwear.conditioning.reference import condition
from hardwear.contract import ACC, CHANNEL_COUNT, GYRO, WINDOW_SAMPLES, from_counts, to_counts
from hardwear.datasets import Dataset, Recording, dataset_of_recordings, simulate_recordings
from hardwear.errors import StudyError
from hardwear.studies import robustness
from hardwear.studies.disturbances import drift, drifted_start, gain, noise, random_axes, rotate, stick
from hardwear.studies.results import read_document
from hardwear.studies.robustness import (
    PARTS,
    Cut,
    condition_all,
    conditions,
    measure_robustness,
    moved,
    published_cut,
    shifted_cut,
    windows_at,
)

SHIPPED = Path(__file__).parents[2] / "models" / "compact"


@pytest.fixture(scope="module")
def recordings() -> list[Recording]:
    return [r for r in simulate_recordings() if r.user <= 3]


@pytest.fixture(scope="module")
def dataset(recordings: list[Recording]) -> Dataset:
    return dataset_of_recordings("SYNTHETIC", recordings, test_users={2}, source="simulator")


def samples(count: int = 300, seed: int = 0) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal((count, CHANNEL_COUNT))


# -- disturbances ---------------------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(degrees=st.floats(0, 180), axis=st.integers(0, 7))
def test_a_rotation_keeps_norms_and_what_lies_along_its_axis(degrees: float, axis: int) -> None:
    about = random_axes(8, 0)[axis]
    before, after = samples(), rotate(samples(), about, degrees)
    for sensor in (ACC, GYRO):
        np.testing.assert_allclose(
            np.linalg.norm(after[:, sensor], axis=1), np.linalg.norm(before[:, sensor], axis=1), atol=1e-12
        )
        np.testing.assert_allclose(after[:, sensor] @ about, before[:, sensor] @ about, atol=1e-12)
    np.testing.assert_allclose(rotate(after, about, -degrees), before, atol=1e-12)


def test_a_rotation_turns_by_its_angle() -> None:
    turned = rotate(np.array([[1.0, 0, 0, 0, 2.0, 0]]), [0, 0, 1], 30)
    np.testing.assert_allclose(turned, [[np.cos(np.pi / 6), 0.5, 0, -1, np.sqrt(3), 0]], atol=1e-12)


def test_random_axes_are_unit_vectors_in_all_directions() -> None:
    axes = random_axes(2000, 1)
    np.testing.assert_allclose(np.linalg.norm(axes, axis=1), 1)
    assert np.abs(axes.mean(axis=0)).max() < 0.05
    np.testing.assert_array_equal(random_axes(3, 1), axes[:3])


def test_no_drift_changes_nothing() -> None:
    np.testing.assert_array_equal(drift(samples(), 0), samples())


@pytest.mark.parametrize("percent", [-5, 3])
def test_a_drifted_sensor_sees_the_same_motion_at_other_moments(percent: int) -> None:
    seconds = np.arange(2000) / 50
    wave = np.repeat(np.sin(2 * np.pi * 3.0 * seconds)[:, None], CHANNEL_COUNT, axis=1)
    faster = drift(wave, percent)
    assert len(faster) == pytest.approx(2000 * (1 + percent / 100), abs=1)
    there = np.arange(len(faster)) / (50 * (1 + percent / 100))
    middle = slice(200, -200)
    assert np.abs(faster[middle, 0] - np.sin(2 * np.pi * 3.0 * there)[middle]).max() < 0.01


@pytest.mark.parametrize("percent", [-5, -1, 0, 2, 5])
def test_windows_of_a_drifted_recording_show_the_same_middle(percent: int) -> None:
    for start in (0, 1000, 17001):
        middle = (drifted_start(start, percent) + WINDOW_SAMPLES / 2) / (1 + percent / 100)
        assert middle == pytest.approx(start + WINDOW_SAMPLES / 2, abs=0.6)


def test_gain_noise_and_a_dead_axis_touch_what_they_name() -> None:
    before = samples()
    np.testing.assert_allclose(gain(before, 0.1, 0.0)[:, ACC], 1.1 * before[:, ACC])
    np.testing.assert_array_equal(gain(before, 0.1, 0.0)[:, GYRO], before[:, GYRO])
    added = noise(samples(20_000), 0.05, 0.1, (0, 1)) - samples(20_000)
    np.testing.assert_allclose(added.std(axis=0), [0.05] * 3 + [0.1] * 3, rtol=0.03)
    np.testing.assert_array_equal(noise(before, 0.05, 0.1, (0, 1)), noise(before, 0.05, 0.1, (0, 1)))
    stuck = stick(before, 4, 0.25)
    assert (stuck[:, 4] == 0.25).all()
    np.testing.assert_array_equal(np.delete(stuck, 4, axis=1), np.delete(before, 4, axis=1))
    np.testing.assert_array_equal(before, samples())


# -- windows --------------------------------------------------------------------------------------------------------


def test_undisturbed_windows_are_the_data_sets_own(dataset: Dataset, recordings: list[Recording]) -> None:
    theirs = [r for r in recordings if r.user == 2]
    windows = windows_at(condition_all([r.samples for r in theirs]), published_cut(dataset, theirs))
    # The chip's chain rounds to counts and a little more.
    assert np.abs(windows.astype(int) - to_counts(dataset.test.windows)).max() <= 2


@pytest.mark.parametrize("offset", [1, 40, 63])
def test_windows_at_an_offset_lie_in_one_activity(dataset: Dataset, recordings: list[Recording], offset: int) -> None:
    theirs = [r for r in recordings if r.user == 2]
    published = published_cut(dataset, theirs)
    cut = shifted_cut(published, theirs, offset)
    assert 0.8 * len(published.labels) < len(cut.labels) <= len(published.labels)
    assert set(cut.start.tolist()) <= set((published.start + offset).tolist())
    for row, start, label in zip(cut.recording, cut.start, cut.labels, strict=True):
        assert any(
            s.activity == label + 1 and s.start <= start and start + WINDOW_SAMPLES <= s.stop
            for s in theirs[row].segments
        )


def test_moved_windows_stay_within_their_recording(recordings: list[Recording]) -> None:
    places = np.array([0, 0, 1]), np.array([0, 3000, 70]), np.array([0, 1, 2])
    cut = Cut(*places)
    short = [np.zeros((200, CHANNEL_COUNT), np.int16)] * len(recordings)
    assert moved(cut, 5, short).start.max() == 200 - WINDOW_SAMPLES
    assert moved(cut, 0, short) is cut


@pytest.mark.data
def test_offset_0_gives_the_published_test_windows(uci_har: Dataset, hapt: tuple[Recording, ...]) -> None:
    user = int(uci_har.test.subjects[0])
    theirs = [r for r in hapt if r.user == user]
    own = replace(uci_har, test=uci_har.test.select(uci_har.test.subjects == user))
    cut = shifted_cut(published_cut(own, theirs), theirs, 0)
    places = list(zip(cut.recording.tolist(), cut.start.tolist(), strict=True))
    conditioned = [condition(r.samples) for r in theirs]
    there = np.stack([conditioned[row][start : start + WINDOW_SAMPLES] for row, start in places])
    assert np.abs(there - own.test.windows).max() < 1e-6
    np.testing.assert_array_equal(cut.labels, own.test.labels)
    counts = windows_at(condition_all([r.samples for r in theirs]), cut)
    assert np.abs(from_counts(counts) - own.test.windows).max() < 1e-3


# -- the study ------------------------------------------------------------------------------------------------------


def test_every_condition_has_a_name_of_its_own() -> None:
    keys = [c.key for c in conditions([0.0] * CHANNEL_COUNT)]
    assert len(keys) == len(set(keys)) == 1 + (8 + 6) * 6 + 10 + 18 + 5 + 12 + 64
    with pytest.raises(StudyError, match="rotation, rate, gain"):
        conditions([0.0] * CHANNEL_COUNT, ["weather"])


def test_robustness_goes_on_where_it_stopped(
    dataset: Dataset, recordings: list[Recording], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = Bundle.load(SHIPPED)

    def run(*parts: str) -> None:
        measure_robustness(bundle, dataset, recordings, "compact", tmp_path, "command", parts)

    def stop_after_three(done: int, total: int, detail: str = "") -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_robustness(
            bundle, dataset, recordings, "compact", tmp_path, "command", ["noise"], progress=stop_after_three
        )
    path = tmp_path / "results" / "robustness_compact.json"
    assert len(read_document(path)["rows"]) == 3
    run("noise", "dead")
    document = read_document(path)
    assert len(document["rows"]) == 1 + 5 + 12
    written = path.read_bytes()
    monkeypatch.setattr(robustness, "condition_all", None)  # all is there: nothing may be computed
    run("noise", "dead")
    assert path.read_bytes() == written
    assert "lost_at_15_degrees" not in document["summary"]
    page = robustness.section(tmp_path)
    assert "| one axis stuck at 0 | acc_x: " in page
    assert (tmp_path / "pictures" / "robustness_compact.png").exists()


def test_figures_of_all_parts_are_drawn_and_held_against_the_goals(tmp_path: Path) -> None:
    rows = {
        c.key: {
            "part": c.part,
            "line": c.line,
            "level": c.level,
            "windows": 100,
            "macro_f1": 0.97 if c.part == "none" else 0.97 - 0.001 * abs(c.level),
            "accuracy": 0.9,
            "recall": {},
        }
        for c in conditions([0.0] * CHANNEL_COUNT)
    }
    summary = robustness.summarize(rows)
    assert summary["lost_at_15_degrees"] == pytest.approx(1.5)
    assert summary["lost_at_3_percent_slower"] == pytest.approx(0.3)
    assert summary["offset"]["offsets"] == 64
    study = robustness.Study("robustness", "compact", True, {"model_sha256": "ab" * 32}, {"SYNTHETIC": "12" * 32})
    results = robustness.open_results(tmp_path, study, "command", [0], robustness.summarize)
    results.rows.update(rows)
    results.put("none/as recorded/0", rows["none/as recorded/0"])
    page = robustness.section(tmp_path)
    assert "| turned by 15°, mean of 8 random axes | ≤ 2 | +1.50 | met |" in page
    assert [part for part in PARTS if f"{part}: not measured" in page] == []


@pytest.mark.parametrize("name", ["compact", "nano"])
def test_committed_figures_are_of_the_shipped_bundle(name: str) -> None:
    results = SHIPPED.parents[1] / "docs" / "results" / f"robustness_{name}.json"
    if results.exists():
        bundle = Bundle.load(SHIPPED.with_name(name))
        assert read_document(results)["of"]["model_sha256"] == bundle.manifest.hashes["model.tflite"]
