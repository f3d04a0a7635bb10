import hashlib
import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import frame_vectors
import reference_vectors
from hardwear.errors import LinkError
from hardwear.link.frames import (
    MAX_FRAME_BYTES,
    MAX_PAYLOAD_BYTES,
    Frame,
    FrameFault,
    FrameReceiver,
    cobs_decode,
    cobs_encode,
    encode_frame,
    wire_bytes,
)
from native import Native, build_library

FOLDER = reference_vectors.FOLDER
payloads = st.binary(max_size=MAX_PAYLOAD_BYTES)
# Runs that meet COBS' block of 254, few zeros, many zeros.
stuffing = st.lists(st.sampled_from([b"\x00", b"\x01" * 253, b"\xff" * 254, b"\x05" * 255, b"\x07"]), max_size=12).map(
    b"".join
)
frames = st.builds(Frame, st.integers(0, 255), st.integers(0, 0xFFFF), payloads)


@pytest.fixture(scope="module")
def library() -> Native:
    return build_library()


def vectors() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / "frames.json").read_text())
    return loaded


def test_committed_vectors_are_what_python_generates() -> None:
    rendered = reference_vectors.render()
    assert {path.name for path in FOLDER.iterdir()} == set(rendered)
    for name, content in rendered.items():
        assert (FOLDER / name).read_text() == content, f"{name} differs: run python tests/reference_vectors.py"
    sums = dict(reversed(line.split("  ")) for line in (FOLDER / "SHA256SUMS").read_text().splitlines())
    assert set(sums) | {"SHA256SUMS"} == set(rendered)
    for name, digest in sums.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("vector", vectors()["frames"], ids=lambda v: v["name"])
def test_both_languages_encode_and_decode_each_reference_frame(vector: dict[str, Any], library: Native) -> None:
    frame = Frame(vector["type"], vector["sequence"], bytes.fromhex(vector["payload"]))
    wire = bytes.fromhex(vector["wire"])
    assert encode_frame(frame) == wire
    assert FrameReceiver().feed(wire) == [frame]
    assert library.encode_frame(frame.type, frame.sequence, frame.payload) == wire
    decoded = library.decode_frames(wire)
    assert decoded.statuses == [frame_vectors.FRAME_OK]
    assert (decoded.type, decoded.sequence, decoded.payload) == (frame.type, frame.sequence, frame.payload)


@pytest.mark.parametrize("vector", vectors()["lines"], ids=lambda v: v["name"])
def test_both_languages_receive_each_reference_line_alike(vector: dict[str, Any], library: Native) -> None:
    wire = bytes.fromhex(vector["wire"])
    assert statuses(FrameReceiver().feed(wire)) == vector["statuses"]
    assert library.decode_frames(wire).statuses == vector["statuses"]


def test_the_frame_of_the_documentation_is_spelt_byte_by_byte() -> None:
    body = bytes([2, 0x01, 0x01, 0x00])
    crc = zlib.crc32(body).to_bytes(4, "little")
    assert 0 not in crc
    assert encode_frame(Frame(0x01, 1)) == b"\x00" + b"\x04\x02\x01\x01" + b"\x05" + crc + b"\x00"


@given(st.one_of(payloads, stuffing))
def test_stuffing_leaves_no_zero_and_is_undone(data: bytes) -> None:
    stuffed = cobs_encode(data)
    assert 0 not in stuffed
    assert len(stuffed) <= len(data) + len(data) // 254 + 1
    assert cobs_decode(stuffed) == data


@given(frames)
@settings(max_examples=50)
def test_both_languages_write_every_frame_alike(library: Native, frame: Frame) -> None:
    wire = encode_frame(frame)
    assert len(wire) <= wire_bytes(len(frame.payload))
    assert library.encode_frame(frame.type, frame.sequence, frame.payload) == wire
    assert FrameReceiver().feed(wire) == [frame]


noise = st.one_of(
    st.binary(max_size=300),
    st.binary(min_size=1500, max_size=2 * MAX_FRAME_BYTES),
    st.lists(st.sampled_from([0, 1, 2, 5, 254, 255]), max_size=2000).map(bytes),
    st.builds(lambda size, code: bytes([code]) * size, st.integers(1590, 1640), st.integers(1, 255)),
)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Noise and frames, whole and hurt, in a row."""
    line = b""
    for _ in range(draw(st.integers(0, 4))):
        piece = draw(st.one_of(noise, frames.map(encode_frame)))
        if piece and draw(st.booleans()):
            at = draw(st.integers(0, len(piece) - 1))
            piece = draw(st.sampled_from([piece[:at], piece[at:], piece[:at] + b"\x01" + piece[at + 1 :]]))
        line += piece
    return line


@given(lines())
@settings(max_examples=300)
def test_both_languages_receive_every_line_alike(library: Native, line: bytes) -> None:
    assert library.decode_frames(line).statuses == statuses(FrameReceiver().feed(line))


@given(lines(), st.data())
@settings(max_examples=50)
def test_frames_are_received_however_their_bytes_are_cut(line: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(line)), max_size=8)))
    receiver = FrameReceiver()
    received = []
    for start, stop in zip([0, *cuts], [*cuts, len(line)], strict=True):
        received += receiver.feed(line[start:stop])
    assert received == FrameReceiver().feed(line)


def test_a_payload_that_no_frame_can_carry_is_refused() -> None:
    with pytest.raises(LinkError, match="at most 1600 bytes, got 1601"):
        encode_frame(Frame(1, 1, bytes(1601)))


@given(st.binary(max_size=64), st.integers(0, 0xFFFFFFFF))
def test_the_crc_is_zlibs(library: Native, data: bytes, previous: int) -> None:
    assert library.crc32(data, previous) == zlib.crc32(data, previous)


def statuses(received: list[Frame | FrameFault]) -> list[int]:
    return [frame_vectors.FRAME_OK if isinstance(r, Frame) else r.value for r in received]
