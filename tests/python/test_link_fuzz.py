"""Anything may come down a line: the firmware, under ASan and UBSan, counts it, answers and goes on."""

import time
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardwear.link import Hello, ProcessLink
from hardwear.link.frames import MAX_PAYLOAD_BYTES, Frame, FrameFault, FrameReceiver, encode_frame
from hardwear.link.messages import (
    ANSWER_BIT,
    DAMAGED,
    DeviceErrorReport,
    ErrorCode,
    MessageType,
    StreamFlag,
    decode_stats,
    encode_chunk,
)
from native import program

TIMEOUT_S = 20.0
FAULTS = {
    FrameFault.BAD_COBS: ("bad_cobs", ErrorCode.BAD_FRAME),
    FrameFault.BAD_CRC: ("bad_crc", ErrorCode.BAD_CRC),
    FrameFault.TOO_SHORT: ("too_short", ErrorCode.TOO_SHORT),
    FrameFault.TOO_LONG: ("too_long", ErrorCode.TOO_LONG),
    FrameFault.BAD_VERSION: ("bad_version", ErrorCode.BAD_VERSION),
}


class Target:
    """The firmware's program, and what it says to raw bytes."""

    def __init__(self) -> None:
        self.link = ProcessLink([program()])
        self.receiver = FrameReceiver()
        self.sequence = 0

    def send(self, data: bytes) -> list[Frame]:
        """Send bytes, then HELLO; returns what was answered before HELLO's answer, which must come."""
        self.sequence = self.sequence % 0xFFFF + 1
        self.link.write(data + encode_frame(Frame(MessageType.HELLO, self.sequence)))
        before: list[Frame] = []
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            for frame in self.receiver.feed(self.link.read(65536, TIMEOUT_S)):
                assert isinstance(frame, Frame), f"the device sent a damaged frame: {frame}"
                if frame.type == MessageType.HELLO | ANSWER_BIT and frame.sequence == self.sequence:
                    assert Hello.decode(frame.payload).ready
                    return before
                before.append(frame)
        raise AssertionError("HELLO was not answered")

    def counters(self) -> dict[str, int]:
        (answer,) = self.send(encode_frame(Frame(MessageType.STATS, 0xABCD)))
        return decode_stats(answer.payload)

    def reset(self) -> None:
        self.send(encode_frame(Frame(MessageType.RESET, 0xABCE)))


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    target = Target()
    yield target
    target.link.close()
    assert target.link.exit_code == 0  # no sanitizer had anything to say


def chunk(first: int, count: int, flags: int) -> bytes:
    samples = np.arange(count * 6, dtype=np.int16).reshape(count, 6)
    return encode_chunk(samples, first, StreamFlag(flags))


payloads = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"", bytes(1535), bytes(1536), bytes(range(256)) * 6, bytes(MAX_PAYLOAD_BYTES)]),
    st.builds(chunk, st.sampled_from([0, 1, 64, 128, 2**32 - 1]), st.integers(0, 128), st.integers(0, 3)),
    st.builds(lambda head, body: bytes(head) + body, st.lists(st.integers(0, 255), max_size=6), st.binary(max_size=80)),
)
kinds = st.one_of(st.sampled_from([1, 2, 3, 3, 3, 4, 6, 7, 8, 9, 0xFD, 0xFE, 0xFF]), st.integers(6, 255), st.just(0))
whole = st.builds(Frame, kinds, st.integers(0, 3), payloads).map(encode_frame)


@st.composite
def hurt(draw: st.DrawFn) -> bytes:
    """A frame with a byte changed, left out, put in, or an end cut off."""
    wire = draw(whole)
    at = draw(st.integers(0, len(wire) - 1))
    byte = bytes([draw(st.integers(0, 255))])
    return draw(
        st.sampled_from([wire[:at] + byte + wire[at + 1 :], wire[:at] + wire[at + 1 :], wire[:at] + byte + wire[at:]])
        | st.sampled_from([wire[:at], wire[at:]])
    )


garbage = st.one_of(
    st.binary(max_size=200),
    st.binary(min_size=1500, max_size=5000),
    st.builds(lambda byte, size: bytes([byte]) * size, st.integers(0, 255), st.integers(0, 5000)),
)
lines = st.lists(st.one_of(garbage, whole, hurt()), max_size=6).map(b"".join)
FUZZ = settings(max_examples=400, suppress_health_check=[HealthCheck.data_too_large])


@given(line=lines)
@FUZZ
def test_after_anything_hello_is_answered_and_every_fault_was_counted_and_told(target: Target, line: bytes) -> None:
    target.reset()
    received = FrameReceiver().feed(line + b"\x00")  # HELLO's first delimiter ends what was left open
    answers = target.send(line)
    counters = target.counters()

    faults = Counter(fault for fault in received if isinstance(fault, FrameFault))
    told = Counter(DeviceErrorReport.decode(a.payload).code for a in answers if a.type == MessageType.ERROR)
    for fault, (counter, code) in FAULTS.items():
        assert counters[counter] == faults[fault]
        assert told[code] == faults[fault]
    for answer in answers:
        if answer.type == MessageType.ERROR and DeviceErrorReport.decode(answer.payload).code in DAMAGED:
            assert answer.sequence == 0

    intact = [frame for frame in received if isinstance(frame, Frame)]
    unanswerable = sum(frame.type in (MessageType.ERROR, MessageType.LOG, MessageType.PREDICTION) for frame in intact)
    assert counters["frames"] == len(intact) + 3  # HELLO twice and STATS
    assert len(answers) == len(received) - unanswerable


@given(frame=st.builds(Frame, st.sampled_from([2, 3, 5]), st.integers(0, 9), payloads), data=st.data())
@FUZZ
def test_a_damaged_request_is_never_acted_on(target: Target, frame: Frame, data: st.DataObject) -> None:
    target.reset()
    target.send(encode_frame(Frame(MessageType.STREAM, 1000, chunk(0, 10, StreamFlag.RESTART))))
    wire = bytearray(encode_frame(frame))
    for _ in range(data.draw(st.integers(1, 3))):
        wire[data.draw(st.integers(1, len(wire) - 2))] ^= data.draw(st.integers(1, 255))
    if bytes(wire) == encode_frame(frame):  # two changes that undid each other
        return
    target.send(bytes(wire))
    counters = target.counters()
    assert (counters["windows"], counters["stream_samples"]) == (0, 10)
    (answer,) = target.send(encode_frame(Frame(MessageType.STREAM, 1001, chunk(10, 1, 0))))
    assert answer.type == MessageType.STREAM | ANSWER_BIT  # the stream is where it was


@given(frame=st.builds(Frame, kinds.filter(lambda k: k not in (4, 0xFD, 0xFE, 0xFF)), st.integers(0, 0xFFFF), payloads))
@FUZZ
def test_every_whole_request_gets_one_answer_with_its_number(target: Target, frame: Frame) -> None:
    (answer,) = target.send(encode_frame(frame))
    assert answer.sequence == frame.sequence
    assert answer.type in (frame.type | ANSWER_BIT, MessageType.ERROR)
