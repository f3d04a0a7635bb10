"""Replay tells truly whether a device computes what Python computes, and loses no answer when it is cut short."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardwear.bundle import Bundle
from hardwear.conditioning import StreamConditioner
from hardwear.contract import HOP_SAMPLES, WINDOW_SAMPLES
from hardwear.datasets import Dataset, Recording, Segment, simulate_dataset, simulate_recordings
from hardwear.errors import BundleMismatch, LinkError, ReplayMismatch
from hardwear.link import Device, Hello, Prediction, Status, StreamPrediction
from hardwear.replay import (
    NO_LABEL,
    GoldenModel,
    ReplayResult,
    load_result,
    replay_stream,
    replay_windows,
    window_count,
    window_labels,
)

BUNDLE = Path(__file__).parents[2] / "models" / "compact"
WINDOWS = 40


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.load(BUNDLE)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    made = simulate_dataset()
    rows = np.arange(0, len(made.test), len(made.test) // WINDOWS)[:WINDOWS]
    return replace(made, test=made.test.select(rows))


@pytest.fixture(scope="module")
def recordings() -> tuple[Recording, ...]:
    return tuple(
        Recording(r.experiment, r.user, r.acc[:1000], r.gyro[:1000], (Segment(1, 0, 500),))
        for r in simulate_recordings()[:2]
    )


class PerfectDevice:
    """Answers what Python computes, through the streaming twin of the chip's chain; `spoil` may change an answer."""

    def __init__(
        self, bundle: Bundle, spoil: Callable[[int, Prediction], Prediction] = lambda _, p: p, lag: int = 0
    ) -> None:
        self.bundle, self.spoil, self.lag = bundle, spoil, lag
        self.model = GoldenModel(bundle)
        self.asked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def hello(self) -> Hello:
        return Hello(
            1, Status.READY, self.bundle.identity[:16], 6, 6, 128, 64, 64, 1600, 4096, "instructions", 50, 5000,
            "fake", "fake",
        )  # fmt: skip

    def _predict(self, window: Any) -> Prediction:
        answer = self.model.run(np.asarray(window)[None])
        logits = tuple(int(v) for v in answer.logits[0])
        probabilities = tuple(int(v) for v in answer.probabilities[0])
        embedding = tuple(int(v) for v in answer.embedding[0])
        prediction = Prediction(int(np.argmax(logits)), logits, probabilities, 7, embedding)
        self.asked += 1
        return self.spoil(self.asked - 1, prediction)

    def windows(self, windows: Iterator[Any]) -> Iterator[Prediction]:
        for window in windows:
            yield self._predict(window)

    def stream(self, counts: Any, first_sample: int, restart: bool, end: bool) -> list[StreamPrediction]:
        if restart:
            self.conditioner = StreamConditioner(self.bundle.filter_spec)
            self.conditioned, self.due = np.empty((0, 6), np.int16), 0
        parts = [self.conditioned, self.conditioner.push(counts)]
        if end:
            parts.append(self.conditioner.flush())
        self.conditioned = np.concatenate(parts)
        answers = []
        while len(self.conditioned) >= (stop := self.due * HOP_SAMPLES + WINDOW_SAMPLES):
            window = self.conditioned[stop - WINDOW_SAMPLES : stop]
            answers.append(StreamPrediction(stop + self.lag, self._predict(window)))
            self.due += 1
        return answers

    def stats(self) -> dict[str, int]:
        return {"frames": self.asked}


def opener(device: Any) -> Callable[[], Device]:
    return cast(Callable[[], Device], lambda: device)


def test_a_device_that_computes_what_python_computes_passes(bundle: Bundle, dataset: Dataset, tmp_path: Path) -> None:
    result = replay_windows(opener(PerfectDevice(bundle)), bundle, dataset, tmp_path)
    result.require_equal()
    assert result.equal
    assert result.windows == result.windows_equal == result.embeddings_equal == WINDOWS
    assert result.probabilities_equal == WINDOWS
    assert result.logits == result.logits_equal == 6 * WINDOWS
    assert result.synthetic
    assert result.time_mean == 7
    assert load_result(tmp_path) == result


def one_logit_off(where: int) -> Callable[[int, Prediction], Prediction]:
    def spoil(index: int, p: Prediction) -> Prediction:
        wrong = p.logits[0] - 1 if p.logits[0] > -128 else p.logits[0] + 1
        return replace(p, logits=(wrong, *p.logits[1:])) if index == where else p

    return spoil


def embedding_off(where: int) -> Callable[[int, Prediction], Prediction]:
    return lambda i, p: replace(p, embedding=(p.embedding[0] ^ 1, *p.embedding[1:])) if i == where else p


def class_off(where: int) -> Callable[[int, Prediction], Prediction]:
    return lambda i, p: replace(p, label=(p.label + 1) % 6) if i == where else p


def probability_off(where: int) -> Callable[[int, Prediction], Prediction]:
    return lambda i, p: replace(p, probabilities=(p.probabilities[0] ^ 1, *p.probabilities[1:])) if i == where else p


@pytest.mark.parametrize(
    ("spoil", "layer", "logits", "embeddings", "probabilities"),
    [
        (one_logit_off, "last fully-connected layer", 6 * WINDOWS - 1, WINDOWS, WINDOWS),
        (embedding_off, "embedding differs already", 6 * WINDOWS, WINDOWS - 1, WINDOWS),
        (class_off, "the decision", 6 * WINDOWS, WINDOWS, WINDOWS),
        (probability_off, "the arithmetic of the softmax", 6 * WINDOWS, WINDOWS, WINDOWS - 1),
    ],
)
def test_the_least_difference_fails_and_names_window_and_layer(
    bundle: Bundle,
    dataset: Dataset,
    tmp_path: Path,
    spoil: Any,
    layer: str,
    logits: int,
    embeddings: int,
    probabilities: int,
) -> None:
    result = replay_windows(opener(PerfectDevice(bundle, spoil(23))), bundle, dataset, tmp_path)
    assert not result.equal
    assert (result.logits_equal, result.embeddings_equal, result.probabilities_equal) == (
        logits,
        embeddings,
        probabilities,
    )
    with pytest.raises(ReplayMismatch, match=rf"window 23 .*{layer}") as caught:
        result.require_equal()
    assert caught.value.exit_code == 1


def test_another_bundle_stops_before_the_first_window_and_both_are_named(
    bundle: Bundle, dataset: Dataset, tmp_path: Path
) -> None:
    device = PerfectDevice(bundle)
    other = replace(bundle, identity="f" * 64)
    with pytest.raises(BundleMismatch, match=f"{bundle.identity[:16]}.*{'f' * 16}"):
        replay_windows(opener(device), other, dataset, tmp_path)
    assert device.asked == 0


def test_a_device_that_refuses_to_predict_stops_the_replay(bundle: Bundle, dataset: Dataset, tmp_path: Path) -> None:
    device = PerfectDevice(bundle)
    refusal = replace(device.hello(), status=Status.MODEL_DIFFERS)
    device.hello = lambda: refusal  # type: ignore[method-assign]
    with pytest.raises(LinkError, match="known-answer"):
        replay_windows(opener(device), bundle, dataset, tmp_path)
    assert device.asked == 0


@pytest.mark.parametrize("cut", [LinkError("unplugged"), KeyboardInterrupt()])
def test_a_cut_replay_leaves_a_partial_report_and_goes_on_where_it_stopped(
    bundle: Bundle, dataset: Dataset, tmp_path: Path, cut: BaseException
) -> None:
    def fail_at_ten(index: int, prediction: Prediction) -> Prediction:
        if index == 10:
            raise cut
        return prediction

    with pytest.raises(type(cut)):
        replay_windows(opener(PerfectDevice(bundle, fail_at_ten)), bundle, dataset, tmp_path)
    partial = load_result(tmp_path)
    assert (partial.complete, partial.windows_done, partial.windows) == (False, 10, WINDOWS)
    with pytest.raises(ReplayMismatch, match=f"only 10 of {WINDOWS}"):
        partial.require_equal()

    journal = tmp_path / "windows.jsonl"
    journal.write_text(journal.read_text()[:-20])  # as if the last line had been cut while it was written
    second = PerfectDevice(bundle)
    result = replay_windows(opener(second), bundle, dataset, tmp_path, resume=True)
    assert result.equal
    assert second.asked == WINDOWS - 9


def test_resuming_a_replay_of_something_else_is_refused(bundle: Bundle, dataset: Dataset, tmp_path: Path) -> None:
    replay_windows(opener(PerfectDevice(bundle)), bundle, dataset, tmp_path, limit=2)
    with pytest.raises(LinkError, match="without --resume"):
        replay_windows(opener(PerfectDevice(bundle)), bundle, replace(dataset, sha256="0"), tmp_path, resume=True)
    assert len((tmp_path / "windows.jsonl").read_text().splitlines()) == 3


def test_a_journal_of_more_than_is_asked_for_counts_only_what_is(
    bundle: Bundle, dataset: Dataset, recordings: tuple[Recording, ...], tmp_path: Path
) -> None:
    device = PerfectDevice(bundle)
    replay_windows(opener(device), bundle, dataset, tmp_path)
    fewer = replay_windows(opener(device), bundle, dataset, tmp_path, limit=5, resume=True)
    assert (fewer.equal, fewer.windows_done, device.asked) == (True, 5, WINDOWS)

    def stream(chosen: tuple[Recording, ...]) -> ReplayResult:
        return replay_stream(opener(device), bundle, chosen, "SYNTHETIC", "0", tmp_path, resume=True)

    assert stream(recordings[:1]).equal
    other = stream(recordings[1:])
    assert (other.equal, other.windows_done) == (True, window_count(1000))
    assert stream(recordings).windows_done == 2 * window_count(1000)


def test_two_devices_share_the_windows(bundle: Bundle, dataset: Dataset, tmp_path: Path) -> None:
    devices = [PerfectDevice(bundle), PerfectDevice(bundle)]
    unopened = iter(devices)
    result = replay_windows(lambda: cast(Device, next(unopened)), bundle, dataset, tmp_path, jobs=2)
    assert result.equal
    assert sum(d.asked for d in devices) == WINDOWS
    lines = [json.loads(line) for line in (tmp_path / "windows.jsonl").read_text().splitlines()[1:]]
    assert sorted(line["window"] for line in lines) == list(range(WINDOWS))


def test_stream_predictions_are_compared_at_their_windows_true_ends(
    bundle: Bundle, recordings: tuple[Recording, ...], tmp_path: Path
) -> None:
    result = replay_stream(opener(PerfectDevice(bundle)), bundle, recordings, "SYNTHETIC", "0" * 64, tmp_path)
    assert result.equal
    assert result.windows == 2 * window_count(1000)
    assert result.windows_labelled == 2 * window_count(500)
    assert result.synthetic


def test_a_stream_that_lags_one_sample_is_found(
    bundle: Bundle, recordings: tuple[Recording, ...], tmp_path: Path
) -> None:
    with pytest.raises(ReplayMismatch, match="ends at sample 129, Python's at 128"):
        replay_stream(opener(PerfectDevice(bundle, lag=1)), bundle, recordings, "SYNTHETIC", "0", tmp_path)


def test_a_cut_stream_repeats_only_the_recordings_that_are_not_whole(
    bundle: Bundle, recordings: tuple[Recording, ...], tmp_path: Path
) -> None:
    each = window_count(1000)

    def fail_in_second(index: int, prediction: Prediction) -> Prediction:
        if index == each + 3:
            raise LinkError("unplugged")
        return prediction

    with pytest.raises(LinkError):
        replay_stream(opener(PerfectDevice(bundle, fail_in_second)), bundle, recordings, "SYNTHETIC", "0", tmp_path)
    second = PerfectDevice(bundle)
    result = replay_stream(opener(second), bundle, recordings, "SYNTHETIC", "0", tmp_path, resume=True)
    assert result.equal
    assert second.asked == each


@given(st.integers(0, 2000), st.integers(1, 12), st.integers(0, 1900), st.integers(1, 1900))
def test_a_window_is_labelled_only_if_it_lies_wholly_in_one_activity(
    samples: int, activity: int, start: int, length: int
) -> None:
    samples = max(samples, start + length)
    still = np.zeros((samples, 3))
    recording = Recording(1, 1, still, still, (Segment(activity, start, start + length),))
    for k, label in enumerate(window_labels(recording, window_count(samples))):
        inside = start <= k * HOP_SAMPLES and k * HOP_SAMPLES + WINDOW_SAMPLES <= start + length
        assert label == (activity - 1 if inside and activity <= 6 else NO_LABEL)


@given(st.integers(0, 5000))
def test_the_count_of_windows_is_how_many_fit(samples: int) -> None:
    fitting = [s for s in range(0, samples, HOP_SAMPLES) if s + WINDOW_SAMPLES <= samples]
    assert window_count(samples) == len(fitting)


def test_reading_no_replay_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="hardwear replay --out"):
        load_result(tmp_path)
