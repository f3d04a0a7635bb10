"""docs/protocol.md says what the code does."""

import re
import struct
from dataclasses import fields

import pytest

import frame_vectors
from hardwear.link import messages
from hardwear.link.frames import MAX_FRAME_BYTES, MAX_PAYLOAD_BYTES, PROTOCOL_VERSION, wire_bytes
from hardwear.wearable.packets import CalibrationPacket, Config, Flag, PredictionPacket
from native import FIRMWARE, ROOT

DOCUMENT = (ROOT / "docs" / "protocol.md").read_text()
SESSION = (FIRMWARE / "core" / "session.h").read_text()


def section(title: str) -> str:
    return DOCUMENT.split(f"{title}\n", 1)[1].split("\n#", 1)[0]


def rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]


def test_the_bytes_it_shows_are_the_reference_vectors() -> None:
    known = {f"frame {v.name}": v.wire for v in frame_vectors.frame_vectors()}
    for turn in [*frame_vectors.conversation(), *frame_vectors.live_conversation()]:
        known |= {f"request {turn.name}": turn.request, f"answer {turn.name}": turn.answer}
    shown = re.findall(r"^\| ((?:frame|request|answer) \w+) \| `([0-9a-f ]+)` \|$", DOCUMENT, re.MULTILINE)
    assert len(shown) >= 12
    for name, text in shown:
        assert bytes.fromhex(text).hex() == known[name], name


def test_the_example_spelt_byte_by_byte_is_the_vector() -> None:
    block = section("HELLO with sequence number 1, byte by byte:\n\n```").split("```")[0]
    spelt = "".join(re.findall(r"^ *((?:[0-9a-f]{2} ?)+)", block, re.MULTILINE)).replace(" ", "")
    assert spelt == next(v.wire for v in frame_vectors.frame_vectors() if v.name == "hello_request")


@pytest.mark.parametrize(("name", "kind"), [(k.name, k) for k in messages.MessageType])
def test_it_lists_every_type(name: str, kind: messages.MessageType) -> None:
    table = [line for line in rows(section("## What a frame may ask, and what is answered")) if name in " ".join(line)]
    assert any(f"{kind:02X}" in line for line in table)


def test_it_lists_every_error_code_and_counter() -> None:
    codes = [int(row[0]) for row in rows(section("### ERROR (FF)")) if row[0].isdigit() and len(row) == 4]
    assert codes == sorted(messages.ErrorCode)
    counters = [row[1] for row in rows(section("### STATS (84)")) if row[0].isdigit()]
    assert counters == list(messages.COUNTERS)


def test_the_counters_stand_in_the_firmware_in_the_same_order() -> None:
    struct_body = SESSION.split("struct Counters {")[1].split("};")[0]
    assert re.findall(r"uint32_t (\w+);", struct_body) == list(messages.COUNTERS)


def test_hellos_offsets_are_those_of_the_code() -> None:
    table = [row for row in rows(section("### HELLO (81)")) if row[0].isdigit()]
    sizes = {"u8": 1, "u16": 2, "u32": 4, "8 B": 8, "16 B": 16}
    at = 0
    for offset, size, _ in table:
        assert int(offset) == at
        at += sizes[size]
    assert at == messages._HELLO.size == 60
    assert len(table) == len(fields(messages.Hello))


@pytest.mark.parametrize(
    ("title", "size"),
    [
        ("#### Prediction (FD)", PredictionPacket.SIZE),
        ("### CONFIG (07 and 87)", Config.SIZE),
        ("### CALIBRATE (08 and 88)", CalibrationPacket.SIZE),
    ],
)
def test_the_wearables_packets_are_spelt_to_their_last_byte(title: str, size: int) -> None:
    sizes = {"u8": 1, "u16": 2, "u32": 4, "6 × u8": 6, "9 × i16": 18}
    at = 0
    for offset, width, _ in (row for row in rows(section(title)) if row[0].isdigit()):
        assert int(offset) == at
        at += sizes[width]
    assert at == size


def test_it_names_every_flag_by_its_bit() -> None:
    told = re.findall(r"(\d) [a-z]", section("#### Prediction (FD)").split("flags: bit ")[1].split("|")[0])
    assert [1 << int(bit) for bit in told] == list(Flag)


def test_the_sizes_it_names_are_those_of_the_code() -> None:
    numbers = {MAX_PAYLOAD_BYTES: "1,600", MAX_FRAME_BYTES: "1,608", wire_bytes(MAX_PAYLOAD_BYTES): "1,617"}
    for value, text in numbers.items():
        assert f"{value:,}" == text
        assert text in DOCUMENT
    assert struct.calcsize("<B6b6BI") == messages._PREDICTION.size == 17
    assert "17 | E × i8" in section("### Prediction")
    assert f"protocol version, {PROTOCOL_VERSION}" in DOCUMENT
