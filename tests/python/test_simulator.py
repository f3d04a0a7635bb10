import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.transform import Rotation
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import f1_score

from hardwear.contract import CLASSES, from_counts, to_counts
from hardwear.datasets import ACTIVITIES, Dataset, Recording, recordings_sha256, simulate_dataset, simulate_recordings
from hardwear.datasets.uci_har import UCI_HAR

GAITS = (1, 2, 3)
SITTING, STANDING, LAYING = 4, 5, 6


@pytest.fixture(scope="module")
def recordings() -> tuple[Recording, ...]:
    return simulate_recordings()


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return simulate_dataset()


def bouts(recordings: tuple[Recording, ...], activity: int) -> list[npt.NDArray[np.float64]]:
    return [r.samples[s.start : s.stop] for r in recordings for s in r.segments if s.activity == activity]


def test_same_seed_gives_the_same_recordings_and_another_gives_others(recordings: tuple[Recording, ...]) -> None:
    assert recordings_sha256(simulate_recordings(0)) == recordings_sha256(recordings)
    assert recordings_sha256(simulate_recordings(1)) != recordings_sha256(recordings)


def test_thirty_people_are_split_as_in_uci_har(dataset: Dataset) -> None:
    assert tuple(np.unique(dataset.train.subjects)) == UCI_HAR.subjects["train"]
    assert tuple(np.unique(dataset.test.subjects)) == UCI_HAR.subjects["test"]


def test_data_set_is_named_synthetic_and_sized_for_a_short_run(dataset: Dataset) -> None:
    assert dataset.name == "SYNTHETIC"
    assert dataset.synthetic
    assert 1_800 <= len(dataset.train) <= 2_200
    assert 700 <= len(dataset.test) <= 900
    for windows in (dataset.train, dataset.test):
        counts = np.bincount(windows.labels, minlength=len(CLASSES))
        assert counts.min() > 0.9 * counts.max()


def test_recordings_are_labelled_like_hapt(recordings: tuple[Recording, ...]) -> None:
    for recording in recordings:
        edges = [edge for s in recording.segments for edge in (s.start, s.stop)]
        assert edges == sorted(edges)
        assert {s.activity for s in recording.segments} >= set(range(1, 7))
        assert any("_TO_" in ACTIVITIES[s.activity - 1] for s in recording.segments)


def test_recordings_are_raw_and_fit_the_wire(recordings: tuple[Recording, ...]) -> None:
    for recording in recordings:
        back = from_counts(to_counts(recording.samples))
        np.testing.assert_array_equal(back, recording.samples)  # sensors' steps are whole counts, nothing saturates
        # An unfiltered sensor has noise above the low-pass' 20 Hz.
        spectrum = np.abs(np.fft.rfft(recording.samples - recording.samples.mean(axis=0), axis=0))
        high = spectrum[np.fft.rfftfreq(len(recording), 1 / 50) > 21]
        assert np.all(np.sqrt((high**2).mean(axis=0) / len(recording)) > 0.005)


def test_gravity_tells_the_postures(recordings: tuple[Recording, ...]) -> None:
    gravity = {a: np.array([b[:, :3].mean(axis=0) for b in bouts(recordings, a)]) for a in (SITTING, STANDING, LAYING)}
    assert gravity[STANDING][:, 0].min() > 0.9
    assert np.abs(gravity[LAYING][:, 0]).max() < 0.6
    tilt = {a: np.degrees(np.arccos(np.clip(g[:, 0], -1, 1))) for a, g in gravity.items()}
    assert np.median(tilt[SITTING]) > np.median(tilt[STANDING])
    for vectors in gravity.values():
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=0.06)


@pytest.mark.parametrize("activity", GAITS)
def test_gait_has_a_fundamental_of_1_5_to_2_2_hz_and_harmonics(
    activity: int, recordings: tuple[Recording, ...]
) -> None:
    for bout in bouts(recordings, activity):
        up = bout[:, 0] - bout[:, 0].mean()
        power = np.abs(np.fft.rfft(up * np.hanning(len(up)), n=4096)) ** 2
        frequency = np.fft.rfftfreq(4096, 1 / 50)
        cadence = frequency[np.argmax(np.where((frequency > 1.2) & (frequency < 2.5), power, 0))]
        assert 1.35 <= cadence <= 2.35  # the limits of 1.5 and 2.2 Hz, and a cadence that wanders

        assert power[np.abs(frequency - 2 * cadence) < 0.15].max() > 3 * np.median(power)


def test_resting_bodies_hardly_move_and_walking_ones_do(recordings: tuple[Recording, ...]) -> None:
    spread = {a: np.array([b.std(axis=0) for b in bouts(recordings, a)]) for a in range(1, 7)}
    for activity in (SITTING, STANDING, LAYING):
        assert spread[activity][:, :3].max() < 0.06  # g, noise and glitches included
    for activity in GAITS:
        assert spread[activity][:, 0].min() > 0.08


def test_stairs_down_hit_harder_than_stairs_up(recordings: tuple[Recording, ...]) -> None:
    strength = {a: np.mean([b[:, 0].std() for b in bouts(recordings, a)]) for a in GAITS}
    assert strength[3] > 1.2 * strength[1]
    assert strength[3] > 1.2 * strength[2]


def test_people_differ(recordings: tuple[Recording, ...]) -> None:
    leans = [bouts((r,), STANDING)[0][:, 2].mean() for r in recordings]
    assert np.std(leans) > 0.05


def test_both_sensors_tell_of_one_motion(recordings: tuple[Recording, ...]) -> None:
    """Turning the gravity seen before a transition by the integrated gyro gives the gravity seen after it."""
    for recording in recordings[:10]:
        transition = next(s for s in recording.segments if s.activity == 9)  # SIT_TO_LIE
        bias = recording.gyro[transition.start - 400 : transition.start - 50].mean(axis=0)
        before = recording.acc[transition.start - 40 : transition.start].mean(axis=0)
        after = recording.acc[transition.stop : transition.stop + 40].mean(axis=0)
        turned = Rotation.identity()
        for rate in recording.gyro[transition.start - 20 : transition.stop + 20] - bias:
            turned = turned * Rotation.from_rotvec(rate / 50)
        predicted = turned.inv().apply(before)
        cosine = predicted @ after / np.linalg.norm(predicted) / np.linalg.norm(after)
        assert np.degrees(np.arccos(min(cosine, 1.0))) < 8


def test_classes_can_be_learnt_but_not_perfectly(dataset: Dataset) -> None:
    def features(windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        spectrum = np.log1p(np.abs(np.fft.rfft(windows, axis=1))[:, :24])
        return np.hstack([windows.mean(axis=1), windows.std(axis=1), spectrum.reshape(len(windows), -1)])

    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    model.fit(features(dataset.train.windows), dataset.train.labels)
    score = f1_score(dataset.test.labels, model.predict(features(dataset.test.windows)), average="macro")
    assert 0.9 < score < 0.998
