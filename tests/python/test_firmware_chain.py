"""The whole chain of the firmware, built for this computer, against the whole chain in Python, bit for bit."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from hardwear.bundle import Bundle
from hardwear.codegen import generate
from hardwear.conditioning.fixed_point import condition_counts
from hardwear.contract import CHANNEL_COUNT, HOP_SAMPLES, INT16_MAX, INT16_MIN, WINDOW_SAMPLES, to_counts
from hardwear.datasets import simulate_recordings
from hardwear.link import Device, ProcessLink
from hardwear.quantization.tflm import TflmModel
from hardwear.replay import stream_windows
from native import ROOT, Native, build_library, program

SHIPPED = ROOT / "models" / "compact"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.load(SHIPPED)


@pytest.fixture(scope="module")
def headers(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("headers")
    generate(bundle, folder)
    return folder


@pytest.fixture(scope="module")
def library(headers: Path) -> Native:
    return build_library(headers)


@pytest.fixture(scope="module")
def device(headers: Path) -> Iterator[Device]:
    with Device(ProcessLink([program(headers)]), timeout_s=10) as device:
        yield device


def recordings() -> list[npt.NDArray[np.int16]]:
    """Simulated motion, noise of the full range, and full-scale square waves."""
    random = np.random.default_rng(5)
    motion = to_counts(simulate_recordings(seed=3)[0].samples[:3000])
    noise = random.integers(INT16_MIN, INT16_MAX + 1, (1000, CHANNEL_COUNT)).astype(np.int16)
    square = np.where(np.arange(1000)[:, None] // np.arange(1, 7) % 2, INT16_MIN, INT16_MAX).astype(np.int16)
    return [motion, noise, square, noise[:WINDOW_SAMPLES], noise[: WINDOW_SAMPLES - 1]]


def test_the_headers_carry_the_bundles_identity(bundle: Bundle, library: Native, device: Device) -> None:
    assert bundle.identity.startswith(library.identity)
    assert device.hello().identity == library.identity
    assert device.hello().ready


def test_every_count_quantises_as_in_python(bundle: Bundle, library: Native) -> None:
    every = np.repeat(np.arange(INT16_MIN, INT16_MAX + 1, dtype=np.int16)[:, None], CHANNEL_COUNT, axis=1)
    assert np.array_equal(library.quantize(every), bundle.quantizer.quantize(every))


@pytest.mark.parametrize("raw", recordings(), ids=["motion", "noise", "square", "one window", "none"])
def test_the_chain_from_raw_sample_to_logits_is_pythons(
    raw: npt.NDArray[np.int16], bundle: Bundle, library: Native, device: Device
) -> None:
    conditioned = condition_counts(raw, bundle.filter_spec)
    windows = stream_windows(conditioned)
    logits, embedding = TflmModel(bundle.tflite).run(bundle.quantizer.quantize(windows))

    assert np.array_equal(library.condition(raw), conditioned)
    chain = library.pipeline(raw)
    assert np.array_equal(chain.end_samples, np.arange(len(windows)) * HOP_SAMPLES + WINDOW_SAMPLES)
    assert np.array_equal(chain.logits, logits)
    assert np.array_equal(chain.embedding, embedding)
    assert np.array_equal(chain.classes, logits.argmax(axis=1))
    probabilities = bundle.softmax.probabilities(logits)
    assert np.array_equal(chain.probabilities, probabilities)

    streamed = device.stream(raw, restart=True, end=True)
    assert [list(due.prediction.logits) for due in streamed] == logits.tolist()
    assert [list(due.prediction.probabilities) for due in streamed] == probabilities.tolist()
    replayed = list(device.windows(windows))
    assert [list(answer.logits) for answer in replayed] == logits.tolist()
    assert [answer.label for answer in replayed] == logits.argmax(axis=1).tolist()


def test_no_logit_pattern_is_decided_otherwise_than_by_numpy(library: Native) -> None:
    random = np.random.default_rng(6)
    for span in (1, 3, 128):  # narrow spans make ties
        for logits in random.integers(-span, span, (300, 6)).astype(np.int8):
            assert library.decide(logits) == np.argmax(logits)
