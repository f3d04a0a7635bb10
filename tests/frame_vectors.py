"""Reference vectors of the protocol, made by Python, held to by both languages.

`tests/reference_vectors.py` writes them to `tests/vectors/`; a test proves that what is committed is what it writes.
"""

import json
import zlib
from dataclasses import asdict, dataclass

import numpy as np

from hardwear.link.frames import (
    CRC,
    HEADER,
    MAX_PAYLOAD_BYTES,
    PROTOCOL_VERSION,
    Frame,
    FrameFault,
    cobs_encode,
    encode_frame,
)
from hardwear.link.messages import (
    ANSWER_BIT,
    COUNTERS,
    DeviceErrorReport,
    ErrorCode,
    MessageType,
    StreamAnswer,
    StreamFlag,
    encode_chunk,
    encode_live,
    encode_stats,
    encode_unlock,
)
from hardwear.wearable.orientation import IDENTITY
from hardwear.wearable.packets import CalibrationAction, CalibrationCommand, CalibrationPacket, Config
from packet_vectors import TURNED, predictions, refused_commands

FRAME_OK = 1
"""The firmware's `FrameStatus::kFrame`."""


@dataclass(frozen=True)
class FrameVector:
    """A frame and its bytes on the wire; each follows from the other."""

    name: str
    type: int
    sequence: int
    payload: str
    wire: str


@dataclass(frozen=True)
class LineVector:
    """Bytes on a line and what a receiver makes of them: 1 for a whole frame, else a `FrameFault`'s value."""

    name: str
    wire: str
    statuses: list[int]


@dataclass(frozen=True)
class Turn:
    """What a host sends and what the device answers, in a conversation that begins after boot."""

    name: str
    request: str
    answer: str


def frame_vectors() -> list[FrameVector]:
    samples = np.array([[8192, -1, 0, 256, -32768, 32767], [8191, 0, 1, -256, 5, -5]], dtype=np.int16)
    cases = [
        ("hello_request", Frame(MessageType.HELLO, 1)),
        ("sequence_zero", Frame(MessageType.STATS, 0)),
        ("sequence_highest", Frame(MessageType.RESET, 0xFFFF)),
        ("stream_request", Frame(MessageType.STREAM, 0x0102, encode_chunk(samples, 0, StreamFlag.RESTART))),
        ("stream_end", Frame(MessageType.STREAM, 0x0103, encode_chunk(samples[:0], 2, StreamFlag.END))),
        ("window_of_zeros", Frame(MessageType.WINDOW, 2, bytes(1536))),
        ("log_line", Frame(MessageType.LOG, 0, b"hardwear")),
        ("live_request", Frame(MessageType.LIVE, 0x0104, encode_live(True))),
        ("live_prediction", Frame(MessageType.PREDICTION, 0, predictions()["a window"].encode())),
        ("largest_payload", Frame(0x7F, 3, _bytes(MAX_PAYLOAD_BYTES))),
        ("largest_payload_of_zeros", Frame(0x7F, 4, bytes(MAX_PAYLOAD_BYTES))),
        ("largest_payload_of_ones", Frame(0x7F, 0x0505, b"\xff" * MAX_PAYLOAD_BYTES)),
    ]
    # Around COBS' block of 254 bytes without a zero: the whole frame is one such run of this length.
    cases += [(f"run_of_{length}", _frame_without_zero(length)) for length in (253, 254, 255, 508, 509)]
    return [
        FrameVector(name, frame.type, frame.sequence, frame.payload.hex(), encode_frame(frame).hex())
        for name, frame in cases
    ]


def line_vectors() -> list[LineVector]:
    good = encode_frame(Frame(MessageType.HELLO, 7))
    flipped = bytearray(good)
    flipped[3] ^= 0x10
    ok = FRAME_OK
    fault = {fault.name: fault.value for fault in FrameFault}
    cases: list[tuple[str, bytes, list[int]]] = [
        ("nothing_but_delimiters", bytes(5), []),
        ("two_frames", good + good, [ok, ok]),
        ("two_frames_that_share_a_delimiter", good + good[1:], [ok, ok]),
        ("noise_before_a_frame", b"\x03\xaa" + good, [fault["BAD_COBS"], ok]),
        ("cut_frame_then_a_whole_one", good[:-4] + good, [fault["BAD_COBS"], ok]),
        ("cut_within_the_crc_at_a_block_end", b"\x00\x05\x01\x01\x07\x01\x00" + good, [fault["TOO_SHORT"], ok]),
        ("frame_without_its_end", good[:-1], []),
        ("flipped_bit", bytes(flipped), [fault["BAD_CRC"]]),
        ("too_short", b"\x00" + cobs_encode(b"\x01\x01\x07\x00\x00\x00\x00") + b"\x00", [fault["TOO_SHORT"]]),
        ("one_byte_too_long", _wire(_body(bytes(MAX_PAYLOAD_BYTES + 1))), [fault["TOO_LONG"]]),
        ("much_too_long", b"\x00" + b"\x01" * 5000 + b"\x00" + good, [fault["TOO_LONG"], ok]),
        ("too_long_and_cut", b"\x00" + b"\x01" * 1700 + b"\x05\x00", [fault["TOO_LONG"]]),
        ("other_version", _wire(_body(b"", version=PROTOCOL_VERSION + 1)), [fault["BAD_VERSION"]]),
    ]
    return [LineVector(name, wire.hex(), statuses) for name, wire, statuses in cases]


def conversation() -> list[Turn]:
    """A conversation whose answers depend on neither bundle nor board: no window falls due in it."""
    chunk = np.array([[8192, 0, 0, 0, 0, 0], [8192, 1, 2, 3, 4, 5]], dtype=np.int16)
    stream = encode_chunk(chunk, 0, StreamFlag.RESTART)
    damaged = bytearray(encode_frame(Frame(MessageType.STATS, 4)))
    damaged[-3] ^= 1

    turns = [
        ("reset", _request(MessageType.RESET, 1), _answer(MessageType.RESET, 1)),
        (
            "stream_starts",
            _request(MessageType.STREAM, 2, stream),
            _answer(MessageType.STREAM, 2, StreamAnswer(2, ()).encode()),
        ),
        (
            "stream_asked_again_is_not_executed_again",
            _request(MessageType.STREAM, 2, stream),
            _answer(MessageType.STREAM, 2, StreamAnswer(2, ()).encode()),
        ),
        ("damaged_frame", bytes(damaged), _error(0, ErrorCode.BAD_CRC, 0, 0, "CRC differs")),
        (
            "stream_gap",
            _request(MessageType.STREAM, 5, encode_chunk(chunk, 3, StreamFlag(0))),
            _error(5, ErrorCode.STREAM_GAP, MessageType.STREAM, 2, "samples are missing or repeated"),
        ),
        (
            "stream_ends",
            _request(MessageType.STREAM, 6, encode_chunk(chunk[:1], 2, StreamFlag.END)),
            _answer(MessageType.STREAM, 6, StreamAnswer(3, ()).encode()),
        ),
        (
            "stream_after_its_end",
            _request(MessageType.STREAM, 7, encode_chunk(chunk, 3, StreamFlag(0))),
            _error(7, ErrorCode.BAD_VALUE, MessageType.STREAM, 0, "the stream has ended; restart it"),
        ),
        (
            "unknown_flag",
            _request(MessageType.STREAM, 8, bytes([4, 0, 0, 0, 0, 0])),
            _error(8, ErrorCode.BAD_VALUE, MessageType.STREAM, 3, "unknown flags"),
        ),
        (
            "too_many_samples",
            _request(MessageType.STREAM, 9, bytes([1, 0, 0, 0, 0, 129]) + bytes(129 * 12)),
            _error(9, ErrorCode.BAD_VALUE, MessageType.STREAM, 128, "too many samples"),
        ),
        (
            "window_of_another_size",
            _request(MessageType.WINDOW, 10, bytes(1535)),
            _error(10, ErrorCode.BAD_LENGTH, MessageType.WINDOW, 1536, "WINDOW holds one window"),
        ),
        (
            "unknown_type",
            _request(0x40, 11),
            _error(11, ErrorCode.UNKNOWN_TYPE, 0x40, 0x40, "unknown type"),
        ),
        (
            "live_without_a_sensor",
            _request(MessageType.LIVE, 13, encode_live(True)),
            _error(13, ErrorCode.NO_SENSOR, MessageType.LIVE, 0, "no sensor: this board only replays"),
        ),
        ("echo_of_an_error_stays_unanswered", encode_frame(Frame(MessageType.ERROR, 0, bytes(6))), b""),
        (
            "other_version",
            _wire(_body(b"", version=PROTOCOL_VERSION + 1)),
            _error(7, ErrorCode.BAD_VERSION, MessageType.HELLO, PROTOCOL_VERSION, "other protocol version"),
        ),
    ]
    counters = dict.fromkeys(COUNTERS, 0) | {
        "frames": 12,
        "duplicates": 1,
        "bad_crc": 1,
        "bad_version": 1,
        "unknown_type": 2,
        "bad_length": 1,
        "bad_value": 3,
        "stream_gaps": 1,
        "refused": 1,
        "stream_samples": 3,
    }
    turns += [("stats", _request(MessageType.STATS, 12), _answer(MessageType.STATS, 12, encode_stats(counters)))]
    return [Turn(name, request.hex(), answer.hex()) for name, request, answer in turns]


def live_conversation() -> list[Turn]:
    """A conversation with a wearable that has default settings, was never calibrated, and does as it is told."""
    dark = Config(2, 100, 10, led=False, low_power=True)
    out_of_range = dark.encode()[:1] + b"\x07" + dark.encode()[2:]
    turn = CalibrationCommand(CalibrationAction.SET, TURNED)
    mirror = next(bytes.fromhex(r.bytes) for r in refused_commands() if r.name == "set a mirror")
    live, config, calibrate, unlock = MessageType.LIVE, MessageType.CONFIG, MessageType.CALIBRATE, MessageType.UNLOCK
    no_command = "no such command, or not a rotation"
    asked: list[tuple[str, MessageType, bytes, bytes | tuple[ErrorCode, int, str]]] = [
        ("live_on", live, encode_live(True), encode_live(True)),
        ("live_off", live, encode_live(False), encode_live(False)),
        ("live_of_another_value", live, b"\x02", (ErrorCode.BAD_VALUE, 1, "LIVE is 0 or 1")),
        ("live_empty", live, b"", (ErrorCode.BAD_LENGTH, 1, "LIVE holds one byte")),
        ("config_read", config, b"", Config().encode()),
        ("config_written", config, dark.encode(), dark.encode()),
        (
            "config_out_of_range",
            config,
            out_of_range,
            (ErrorCode.BAD_VALUE, 1, "a setting is out of range, or of another version"),
        ),
        ("config_cut", config, dark.encode()[:5], (ErrorCode.BAD_LENGTH, 6, "CONFIG is empty or one configuration")),
        ("config_as_it_was", config, b"", dark.encode()),
        ("calibration_read", calibrate, b"", CalibrationPacket(0, 0, IDENTITY).encode()),
        ("calibration_set", calibrate, turn.encode(), CalibrationPacket(0, 0, TURNED).encode()),
        ("calibration_set_to_a_mirror", calibrate, mirror, (ErrorCode.BAD_VALUE, 0, no_command)),
        ("calibration_unknown_command", calibrate, b"\x09", (ErrorCode.BAD_VALUE, 0, no_command)),
        ("calibration_cut", calibrate, b"\x04\x00", (ErrorCode.BAD_LENGTH, 19, "CALIBRATE is empty or one command")),
        ("calibration_as_it_was", calibrate, b"", CalibrationPacket(0, 0, TURNED).encode()),
        ("unlock", unlock, b"", encode_unlock(60)),
        ("unlock_and_more", unlock, b"\x01", (ErrorCode.BAD_LENGTH, 0, "UNLOCK is empty")),
    ]
    turns = [
        Turn(
            name,
            _request(kind, sequence, payload).hex(),
            (
                _answer(kind, sequence, told) if isinstance(told, bytes) else _error(sequence, told[0], kind, *told[1:])
            ).hex(),
        )
        for sequence, (name, kind, payload, told) in enumerate(asked, 1)
    ]
    echo = encode_frame(Frame(MessageType.PREDICTION, 0, predictions()["a window"].encode()))
    return [*turns, Turn("echo_of_a_prediction_stays_unanswered", echo.hex(), "")]


def render() -> dict[str, str]:
    """Every file of these vectors by its name."""
    frames, lines, turns, live = frame_vectors(), line_vectors(), conversation(), live_conversation()
    text = json.dumps(
        {
            "frames": [asdict(vector) for vector in frames],
            "lines": [asdict(vector) for vector in lines],
            "conversation": [asdict(turn) for turn in turns],
            "live_conversation": [asdict(turn) for turn in live],
        },
        indent=1,
    )
    return {"frames.json": text + "\n", "frames.h": _header(frames, lines, turns, live)}


def _header(frames: list[FrameVector], lines: list[LineVector], turns: list[Turn], live: list[Turn]) -> str:
    out = [
        "// Made by tests/reference_vectors.py; do not edit. Bytes are hexadecimal text.",
        "#pragma once",
        "",
        "#include <cstdint>",
        "",
        "namespace vectors {",
        "",
        "struct FrameVector {",
        "  const char* name;",
        "  uint8_t type;",
        "  uint16_t sequence;",
        "  const char* payload;",
        "  const char* wire;",
        "};",
        "struct LineVector { const char* name; const char* wire; const char* statuses; };",
        "struct Turn { const char* name; const char* request; const char* answer; };",
        "",
        "const FrameVector kFrames[] = {",
        *(
            f'    {{"{v.name}", 0x{v.type:02x}, {v.sequence},\n{_literal(v.payload)},\n{_literal(v.wire)}}},'
            for v in frames
        ),
        "};",
        "",
        "const LineVector kLines[] = {",
        *(f'    {{"{v.name}",\n{_literal(v.wire)},\n{_literal(bytes(v.statuses).hex())}}},' for v in lines),
        "};",
        "",
        "const Turn kConversation[] = {",
        *(f'    {{"{t.name}",\n{_literal(t.request)},\n{_literal(t.answer)}}},' for t in turns),
        "};",
        "",
        "const Turn kLiveConversation[] = {",
        *(f'    {{"{t.name}",\n{_literal(t.request)},\n{_literal(t.answer)}}},' for t in live),
        "};",
        "",
        "}  // namespace vectors",
        "",
    ]
    return "\n".join(out)


def _literal(text: str) -> str:
    width = 104
    pieces = [text[i : i + width] for i in range(0, len(text), width)] or [""]
    return "\n".join(f'     "{piece}"' for piece in pieces)


def _bytes(count: int) -> bytes:
    """A fixed sequence of bytes of every value, zeros among them."""
    return bytes((i * i * 7 + i * 13 + (i >> 8)) % 256 for i in range(count))


def _frame_without_zero(length: int) -> Frame:
    """A frame whose raw form is `length` bytes without a zero."""
    for sequence in range(0x0101, 0x10000):
        frame = Frame(0x7F, sequence, b"\x55" * (length - 8))
        body = _body(frame.payload, frame.type, frame.sequence)
        if 0 not in body:
            return frame
    raise AssertionError("no sequence number makes a CRC without a zero")


def _body(payload: bytes, kind: int = MessageType.HELLO, sequence: int = 7, version: int = PROTOCOL_VERSION) -> bytes:
    body = HEADER.pack(version, kind, sequence) + payload
    return body + CRC.pack(zlib.crc32(body))


def _wire(raw: bytes) -> bytes:
    return b"\x00" + cobs_encode(raw) + b"\x00"


def _request(kind: int, sequence: int, payload: bytes = b"") -> bytes:
    return encode_frame(Frame(kind, sequence, payload))


def _answer(kind: MessageType, sequence: int, payload: bytes = b"") -> bytes:
    return encode_frame(Frame(kind | ANSWER_BIT, sequence, payload))


def _error(sequence: int, code: ErrorCode, request: int, detail: int, text: str) -> bytes:
    return encode_frame(Frame(MessageType.ERROR, sequence, DeviceErrorReport(code, request, detail, text).encode()))
