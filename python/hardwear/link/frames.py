"""Frames: how bytes on a line become whole, checked messages and back (`docs/protocol.md`).

On the wire: 0x00, COBS(version u8, type u8, sequence u16, payload, CRC-32 u32 of all before it), 0x00; numbers
little-endian. COBS is Cheshire and Baker's consistent overhead byte stuffing: it leaves no zero inside, so that a zero
always ends a frame, whatever came before. `firmware/core/frames.h` is the same in C++, and `tests/vectors/frames.json`
holds both to it.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import Enum

from hardwear.errors import LinkError

PROTOCOL_VERSION = 2
HEADER = struct.Struct("<BBH")
CRC = struct.Struct("<I")
MAX_PAYLOAD_BYTES = 1600
OVERHEAD_BYTES = HEADER.size + CRC.size
MAX_FRAME_BYTES = MAX_PAYLOAD_BYTES + OVERHEAD_BYTES
DELIMITER = b"\x00"


@dataclass(frozen=True)
class Frame:
    """One message."""

    type: int
    sequence: int
    payload: bytes = b""
    version: int = PROTOCOL_VERSION


class FrameFault(Enum):
    """What was wrong with bytes that ended in a delimiter; the values are the firmware's `FrameStatus`."""

    BAD_COBS = 2
    TOO_SHORT = 3
    TOO_LONG = 4
    BAD_CRC = 5
    BAD_VERSION = 6


def wire_bytes(payload: int) -> int:
    """The most bytes that a frame with a payload of `payload` bytes takes on the wire."""
    return payload + OVERHEAD_BYTES + (payload + OVERHEAD_BYTES) // 254 + 1 + 2


def cobs_encode(data: bytes) -> bytes:
    """Stuff `data` so that no zero is left in it."""
    out = bytearray()
    pieces = data.split(b"\x00")
    for number, piece in enumerate(pieces):
        while len(piece) >= 254:
            out += b"\xff" + piece[:254]
            piece = piece[254:]
            if not piece and number == len(pieces) - 1:
                return bytes(out)  # a full block at the very end stands for no zero: nothing follows
        out += bytes([len(piece) + 1]) + piece
    return bytes(out)


def cobs_decode(data: bytes) -> bytes:
    """Undo `cobs_encode`.

    Raises:
        ValueError: The data hold a zero or end inside of a block.
    """
    if 0 in data:
        raise ValueError("expected no zero within COBS data")
    out = bytearray()
    at = 0
    while at < len(data):
        code = data[at]
        block = data[at + 1 : at + code]
        if len(block) != code - 1:
            raise ValueError(f"the COBS block at byte {at} lacks {code - 1 - len(block)} of its {code - 1} bytes")
        out += block
        at += code
        if code != 0xFF and at < len(data):
            out.append(0)
    return bytes(out)


def encode_frame(frame: Frame) -> bytes:
    """The bytes of a frame on the wire, both delimiters included.

    Raises:
        LinkError: The payload is longer than a frame can carry.
    """
    if len(frame.payload) > MAX_PAYLOAD_BYTES:
        raise LinkError(
            f"expected a payload of at most {MAX_PAYLOAD_BYTES} bytes, got {len(frame.payload)}; send it in pieces"
        )
    body = HEADER.pack(frame.version, frame.type, frame.sequence) + frame.payload
    return DELIMITER + cobs_encode(body + CRC.pack(zlib.crc32(body))) + DELIMITER


def decode_frame(stuffed: bytes) -> Frame | FrameFault:
    """Read what stood between two delimiters."""
    # A frame of the largest size is never longer than this, stuffed: do not unpack more than can be right.
    if len(stuffed) > wire_bytes(MAX_PAYLOAD_BYTES):
        return FrameFault.TOO_LONG
    try:
        raw = cobs_decode(stuffed)
    except ValueError:
        return FrameFault.TOO_LONG if _decoded_bytes(stuffed) > MAX_FRAME_BYTES else FrameFault.BAD_COBS
    if len(raw) > MAX_FRAME_BYTES:
        return FrameFault.TOO_LONG
    if len(raw) < OVERHEAD_BYTES:
        return FrameFault.TOO_SHORT
    body, crc = raw[: -CRC.size], CRC.unpack(raw[-CRC.size :])[0]
    if zlib.crc32(body) != crc:
        return FrameFault.BAD_CRC
    version, kind, sequence = HEADER.unpack_from(body)
    if version != PROTOCOL_VERSION:
        return FrameFault.BAD_VERSION
    return Frame(kind, sequence, body[HEADER.size :])


def _decoded_bytes(stuffed: bytes) -> int:
    """How many bytes a cut COBS body gives before it ends."""
    count, at = 0, 0
    while at < len(stuffed):
        code = stuffed[at]
        count += min(code - 1, len(stuffed) - at - 1)
        at += code
        if code != 0xFF and at < len(stuffed):
            count += 1
    return count


class FrameReceiver:
    """Takes bytes as they come, cut anywhere, and gives what ended in them."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._overflowed = False

    def feed(self, data: bytes) -> list[Frame | FrameFault]:
        """Take more bytes; return every frame, whole or faulty, that a delimiter ended. Empty ones do not count."""
        *ended, rest = data.split(DELIMITER)
        done: list[Frame | FrameFault] = []
        for piece in ended:
            self._keep(piece)
            if self._overflowed:
                done.append(FrameFault.TOO_LONG)
            elif self._pending:
                done.append(decode_frame(bytes(self._pending)))
            self._pending.clear()
            self._overflowed = False
        self._keep(rest)
        return done

    def _keep(self, piece: bytes) -> None:
        if len(self._pending) + len(piece) > wire_bytes(MAX_PAYLOAD_BYTES):
            self._overflowed = True
            self._pending.clear()
        elif not self._overflowed:
            self._pending += piece
