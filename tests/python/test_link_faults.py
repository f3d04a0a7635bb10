"""What is promised on a bad line: every answer right, every sample of a stream taken exactly once."""

from collections.abc import Iterator

import numpy as np
import pytest

from faulty_stream import FaultyStream
from hardwear.link import Device, ProcessLink
from native import Native, build_library, program

RATE = 0.05
"""Faults per piece and direction: about one request in ten meets one."""


@pytest.fixture(scope="module")
def library() -> Native:
    return build_library()


@pytest.fixture(params=range(4))
def line(request: pytest.FixtureRequest) -> Iterator[FaultyStream]:
    stream = FaultyStream(ProcessLink([program()]), RATE, seed=request.param)
    yield stream
    stream.close()


@pytest.mark.parametrize("in_flight", [1, 4])
def test_every_window_is_answered_right_in_spite_of_faults(line: FaultyStream, library: Native, in_flight: int) -> None:
    windows = np.random.default_rng(1).integers(-9000, 9000, (150, 128, 6)).astype(np.int16)
    logits, embedding = library.classify(library.quantize(windows))
    device = Device(line, timeout_s=0.25, retries=20)
    answers = list(device.windows(windows, in_flight=in_flight))
    assert [a.logits for a in answers] == [tuple(row) for row in logits.tolist()]
    assert [a.embedding for a in answers] == [tuple(row) for row in embedding.tolist()]
    assert sum(line.faults.values()) >= 5
    assert device.counters.resent >= 3


def test_every_sample_of_a_stream_is_taken_exactly_once_in_spite_of_faults(line: FaultyStream, library: Native) -> None:
    raw = np.random.default_rng(2).integers(-9000, 9000, (6000, 6)).astype(np.int16)
    expected = library.pipeline(raw)
    device = Device(line, timeout_s=0.25, retries=20)
    answers = device.stream(raw[:64], restart=True)
    for start in range(64, len(raw), 50):
        answers += device.stream(raw[start : start + 50], end=start + 50 >= len(raw))
    assert [a.end_sample for a in answers] == expected.end_samples.tolist()
    assert [list(a.prediction.logits) for a in answers] == expected.logits.tolist()
    stats = device.stats()
    assert stats["stream_samples"] == len(raw)
    assert stats["windows"] == len(expected.end_samples)
    assert stats["stream_gaps"] == 0
    assert stats["duplicates"] > 0  # answers were lost, and their requests not executed twice
    assert sum(line.faults.values()) >= 5
