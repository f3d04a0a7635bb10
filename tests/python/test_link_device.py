"""The device as Python sees it: answers on a sound line, and retries by script."""

import contextlib
import itertools
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardwear.contract import CHANNEL_COUNT, CONTRACT_VERSION, HOP_SAMPLES, SAMPLE_RATE_HZ, WINDOW_SAMPLES
from hardwear.errors import LinkError
from hardwear.link import Device, DeviceError, Hello, Prediction, ProcessLink, Status, StreamPrediction
from hardwear.link.frames import MAX_PAYLOAD_BYTES, Frame, FrameReceiver, encode_frame
from hardwear.link.messages import (
    ANSWER_BIT,
    COUNTERS,
    DeviceErrorReport,
    ErrorCode,
    MessageType,
    StreamAnswer,
    decode_stats,
    encode_stats,
)
from native import FIRMWARE, Native, build_library, build_program, program

Counts = npt.NDArray[np.int16]


@pytest.fixture(scope="module")
def library() -> Native:
    return build_library()


@pytest.fixture
def device() -> Iterator[Device]:
    with Device(ProcessLink([program()]), timeout_s=10) as device:
        yield device


def recording(samples: int, seed: int = 0) -> Counts:
    return np.random.default_rng(seed).integers(-9000, 9000, (samples, CHANNEL_COUNT)).astype(np.int16)


# -- a sound line ------------------------------------------------------------------------------------------------


def test_hello_tells_what_the_headers_say(device: Device, library: Native) -> None:
    hello = device.hello()
    assert hello.ready
    assert hello.identity == library.identity
    assert (hello.contract_version, hello.sample_rate_hz) == (CONTRACT_VERSION, SAMPLE_RATE_HZ)
    assert (hello.window_samples, hello.hop_samples) == (WINDOW_SAMPLES, HOP_SAMPLES)
    assert (hello.embedding_size, hello.max_payload) == (library.embedding_size, MAX_PAYLOAD_BYTES)
    assert (hello.engine, hello.board, hello.time_unit) == ("compiled", "native", "µs")


def test_a_window_over_the_link_is_the_same_window_in_the_library(device: Device, library: Native) -> None:
    windows = recording(10 * WINDOW_SAMPLES).reshape(10, WINDOW_SAMPLES, CHANNEL_COUNT)
    logits, embedding = library.classify(library.quantize(windows))
    for index, answer in enumerate(device.windows(windows)):
        assert answer.logits == tuple(logits[index])
        assert answer.embedding == tuple(embedding[index])
        assert answer.label == np.argmax(logits[index])
    assert device.window(windows[3]).logits == tuple(logits[3])
    assert device.stats()["windows"] == 11


def test_a_stream_over_the_link_is_the_chain_in_the_library(device: Device, library: Native) -> None:
    raw = recording(1000, seed=1)
    expected = library.pipeline(raw)
    assert same(device.stream(raw, restart=True, end=True), expected)
    pieces = [
        *device.stream(raw[:333], restart=True),
        *device.stream(raw[333:334]),
        *device.stream(raw[334:], end=True),
    ]
    assert same(pieces, expected)


def same(answers: list[StreamPrediction], expected: object) -> bool:
    return (
        [a.end_sample for a in answers] == expected.end_samples.tolist()  # type: ignore[attr-defined]
        and [a.prediction.label for a in answers] == expected.classes.tolist()  # type: ignore[attr-defined]
        and [list(a.prediction.logits) for a in answers] == expected.logits.tolist()  # type: ignore[attr-defined]
        and [list(a.prediction.embedding) for a in answers] == expected.embedding.tolist()  # type: ignore[attr-defined]
    )


def test_windows_between_chunks_leave_the_stream_alone(device: Device, library: Native) -> None:
    raw = recording(640, seed=2)
    answers = []
    for start in range(0, 640, 64):
        answers += device.stream(raw[start : start + 64], restart=start == 0, end=start == 576)
        device.window(raw[:WINDOW_SAMPLES])
    assert same(answers, library.pipeline(raw))


def test_stats_count_and_reset_clears(device: Device) -> None:
    device.stream(recording(300), restart=True)
    stats = device.stats()
    assert list(stats) == list(COUNTERS)
    assert (stats["stream_samples"], stats["windows"]) == (300, 3)
    device.reset()
    assert device.stats() == dict.fromkeys(COUNTERS, 0) | {"frames": 1}
    device.stream(recording(10))  # as after power-on: no restart needed


def test_a_gap_names_the_sample_that_the_device_waits_for(device: Device) -> None:
    device.stream(recording(100), restart=True)
    with pytest.raises(DeviceError, match=r"stream gap.*detail 100.*restart the stream") as raised:
        device.stream(recording(10), first_sample=101)
    assert raised.value.report.code == ErrorCode.STREAM_GAP


def test_log_lines_reach_the_callback() -> None:
    lines: list[str] = []
    with Device(ProcessLink([program()]), timeout_s=10, log=lines.append) as device:
        identity = device.hello().identity
    assert lines == [f"hardwear on native, engine compiled, bundle {identity}, ready"]


@pytest.mark.parametrize(
    ("status", "said"),
    [(Status.CONDITIONING_DIFFERS, "conditioned window"), (Status.MODEL_DIFFERS, "known answer: logit 0 is")],
    ids=["conditioning", "model"],
)
def test_a_device_that_fails_its_known_answer_refuses_and_says_why(status: Status, said: str, tmp_path: Path) -> None:
    generated = tmp_path / "spoilt"
    generated.mkdir()
    for header in (FIRMWARE / "generated").glob("*.h"):
        (generated / header.name).write_text(header.read_text())
    spoil(generated / "known_answer.h", status)
    lines: list[str] = []
    with Device(ProcessLink([build_program(tmp_path / "spoilt_program", generated)]), 10, log=lines.append) as device:
        hello = device.hello()
        assert hello.status is status
        assert not hello.ready
        assert said in lines[1]
        for ask in (lambda: device.window(recording(128)), lambda: device.stream(recording(8), restart=True)):
            with pytest.raises(DeviceError, match=f"refused.*{said}.*generate"):
                ask()
        assert device.stats()["refused"] == 2
        assert device.stats()["windows"] == 0


def spoil(header: Path, status: Status) -> None:
    """Change one number of the generated known answer."""
    text = header.read_text()
    if status is Status.CONDITIONING_DIFFERS:
        at = text.index("0x", text.index("samples\n")) + 2
        digits = text[at : at + 8]
        text = text[:at] + f"{int(digits, 16) ^ 1:08x}" + text[at + 8 :]
    else:
        start = text.index("{", text.index("CRC-32 of the first conditioned window"))
        stop = text.index(",", start)
        value = int(text[start + 1 : stop])
        text = f"{text[: start + 1]}{value - 1 if value > -128 else 0}{text[stop:]}"
    header.write_text(text)


# -- what goes wrong, by script ----------------------------------------------------------------------------------


class Script:
    """A `ByteStream` whose device answers each write by a list of functions, the last one from then on."""

    name = "the script"

    def __init__(self, *answers: Callable[[Frame], bytes]) -> None:
        self._answers = deque(answers)
        self._waiting = b""
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)
        (frame,) = FrameReceiver().feed(data)
        assert isinstance(frame, Frame)
        answer = self._answers[0] if len(self._answers) == 1 else self._answers.popleft()
        self._waiting += answer(frame)

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        data, self._waiting = self._waiting[:max_bytes], self._waiting[max_bytes:]
        return data

    def close(self) -> None:
        pass


HELLO = Hello(1, Status.READY, "00" * 8, 6, 6, 128, 64, 4, 1600, 8192, "instructions", 50, 0, "fake", "script")
PREDICTION = Prediction(2, (1, -2, 3, 4, 5, 6), (40, 40, 50, 60, 0, 255), 7, (8, 9, 10, -11))


def good(frame: Frame) -> bytes:
    payload = {
        MessageType.HELLO: HELLO.encode(),
        MessageType.WINDOW: PREDICTION.encode(),
        MessageType.STATS: encode_stats(dict.fromkeys(COUNTERS, 0)),
        MessageType.RESET: b"",
        MessageType.STREAM: StreamAnswer(128, (StreamPrediction(128, PREDICTION),)).encode(),
    }[MessageType(frame.type)]
    return encode_frame(Frame(frame.type | ANSWER_BIT, frame.sequence, payload))


def silence(frame: Frame) -> bytes:
    return b""


def error(code: int, sequence: int | None = None) -> Callable[[Frame], bytes]:
    def answer(frame: Frame) -> bytes:
        report = DeviceErrorReport(code, frame.type, 0, "because")
        return encode_frame(Frame(MessageType.ERROR, frame.sequence if sequence is None else sequence, report.encode()))

    return answer


def damaged(frame: Frame) -> bytes:
    wire = bytearray(good(frame))
    wire[2] ^= 0x80
    return bytes(wire)


def stale(frame: Frame) -> bytes:
    return good(Frame(frame.type, frame.sequence ^ 0x4000)) + good(frame)


@pytest.mark.parametrize(
    ("first", "counter"),
    [
        (silence, "timeouts"),
        (damaged, "damaged_answers"),
        (error(ErrorCode.BAD_CRC, sequence=0), "damaged_requests"),
    ],
)
def test_a_lost_request_or_answer_is_mended_by_sending_the_identical_frame(
    first: Callable[[Frame], bytes], counter: str
) -> None:
    script = Script(first, good)
    device = Device(script, timeout_s=0.01)
    assert device.hello() == HELLO
    assert len(script.written) == 2
    assert script.written[0] == script.written[1]
    assert (device.counters.resent, getattr(device.counters, counter)) == (1, 1)


def test_without_an_answer_the_error_says_how_often_it_asked_and_what_to_do() -> None:
    script = Script(silence)
    with pytest.raises(LinkError, match=r"answer to HELLO from the script.*4 tries of 0\.001 s.*[Rr]eset"):
        Device(script, timeout_s=0.001, retries=3).hello()
    assert len(script.written) == 4


def test_answers_that_nobody_waits_for_are_passed_over() -> None:
    device = Device(Script(stale))
    assert device.hello() == HELLO
    assert device.stats() == dict.fromkeys(COUNTERS, 0)
    assert device.counters.stale == 2


def test_an_answer_of_another_type_is_not_taken_for_this_ones() -> None:
    def other(frame: Frame) -> bytes:
        return good(Frame(MessageType.STATS, frame.sequence)) + good(frame)

    assert Device(Script(other)).hello() == HELLO


@pytest.mark.parametrize("code", [c for c in ErrorCode if c > ErrorCode.TOO_LONG] + [200])
def test_a_refusal_is_raised_at_once_with_the_devices_words(code: int) -> None:
    script = Script(error(code))
    with pytest.raises(DeviceError, match=r"the script did not do RESET: .*'because'.*Next step: ."):
        Device(script).reset()
    assert len(script.written) == 1


def test_sequence_numbers_wrap_and_leave_out_zero() -> None:
    script = Script(good)
    device = Device(script, first_sequence=0xFFFE)
    for _ in range(4):
        device.stats()
    sent = [FrameReceiver().feed(wire)[0] for wire in script.written]
    assert [frame.sequence for frame in sent if isinstance(frame, Frame)] == [0xFFFE, 0xFFFF, 1, 2]


def test_windows_in_flight_stay_in_order_when_one_is_lost() -> None:
    def number(frame: Frame) -> bytes:
        index = int.from_bytes(frame.payload[:2], "little")
        answer = Prediction(0, (index, 0, 0, 0, 0, 0), (43,) * 6, 0, (0, 0, 0, 0))
        return encode_frame(Frame(frame.type | ANSWER_BIT, frame.sequence, answer.encode()))

    windows = [np.full((128, 6), index, dtype=np.int16) for index in range(12)]
    script = Script(good, number, silence, damaged, *[number] * 3, silence, number)
    device = Device(script, timeout_s=0.05)
    assert [answer.logits[0] for answer in device.windows(windows, in_flight=3)] == list(range(12))
    assert device.counters.resent >= 3
    assert device.counters.timeouts == 0  # a later answer tells of the loss before the time is up


def test_in_flight_windows_come_before_the_refusal_that_follows_them() -> None:
    device = Device(Script(good, good, good, error(ErrorCode.ENGINE_FAILED)))
    answers = device.windows([np.zeros((128, 6), np.int16)] * 5, in_flight=4)
    assert [next(answers), next(answers)] == [PREDICTION, PREDICTION]
    with pytest.raises(DeviceError, match="engine failed"):
        next(answers)


def test_no_more_is_sent_ahead_than_the_device_can_hold() -> None:
    script = Script(good, silence)
    device = Device(script, timeout_s=0.001, retries=0)
    with pytest.raises(LinkError):
        next(device.windows(itertools.repeat(np.zeros((128, 6), np.int16))))
    assert len(script.written) == 1 + 4  # 8,192 bytes hold five windows, four is the most

    small = Script(lambda f: good(f) if f.type != MessageType.HELLO else hello_with_capacity(f, 1024), good)
    assert next(Device(small).windows([np.zeros((128, 6), np.int16)])) == PREDICTION


def hello_with_capacity(frame: Frame, capacity: int) -> bytes:
    hello = Hello(**{**HELLO.__dict__, "receive_capacity": capacity})
    return encode_frame(Frame(frame.type | ANSWER_BIT, frame.sequence, hello.encode()))


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (np.zeros((127, 6), np.int16), r"shape \(128, 6\), got \(127, 6\)"),
        (np.zeros((128, 6)), "integer counts, got float64"),
        (np.full((128, 6), 40000), "within int16, got 40000"),
    ],
)
def test_a_window_that_is_none_is_refused_before_it_is_sent(counts: object, message: str) -> None:
    script = Script(good)
    with pytest.raises(LinkError, match=message):
        Device(script).window(counts)  # type: ignore[arg-type]
    assert len(script.written) == 1  # HELLO alone


def test_a_device_of_another_contract_is_refused_by_name() -> None:
    other = Hello(**{**HELLO.__dict__, "contract_version": 9})

    def answer(frame: Frame) -> bytes:
        return encode_frame(Frame(frame.type | ANSWER_BIT, frame.sequence, other.encode()))

    with pytest.raises(LinkError, match=r"contract version.*\(9, 6, 6, 128\)"):
        Device(Script(answer)).window(np.zeros((128, 6), np.int16))


def test_a_stream_that_another_host_moved_is_noticed() -> None:
    device = Device(Script(good))
    with pytest.raises(LinkError, match="wait for sample 64 next, it waits for 128"):
        device.stream(np.zeros((64, 6), np.int16), restart=True)


@given(st.binary(max_size=200))
def test_payloads_of_wrong_length_are_errors_not_crashes(payload: bytes) -> None:
    for decode in (
        Hello.decode,
        DeviceErrorReport.decode,
        decode_stats,
        lambda p: Prediction.decode(p, 4),
        lambda p: StreamAnswer.decode(p, 4),
    ):
        with contextlib.suppress(LinkError):
            decode(payload)  # type: ignore[operator]
