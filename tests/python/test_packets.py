"""What the wearable says and hears: each packet is read back as it was, and nothing else is taken."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import packet_vectors
import reference_vectors
from hardwear.contract import CLASSES, CONTRACT_VERSION
from hardwear.errors import LinkError
from hardwear.wearable.gatt import CHARACTERISTICS, INFO, SERVICE_UUID, Property
from hardwear.wearable.orientation import IDENTITY, Rotation
from hardwear.wearable.packets import (
    CalibrationAction,
    CalibrationCommand,
    CalibrationPacket,
    Config,
    Flag,
    Imu,
    Info,
    PredictionPacket,
    RawPacket,
)
from hardwear.wearable.smoothing import UNKNOWN_ACTIVITY

VECTORS: dict[str, Any] = json.loads((reference_vectors.FOLDER / "packets.json").read_text())
KINDS = {
    "predictions": (PredictionPacket, packet_vectors.predictions()),
    "calibrations": (CalibrationPacket, packet_vectors.calibrations()),
    "commands": (CalibrationCommand, packet_vectors.commands()),
    "configs": (Config, packet_vectors.configs()),
    "raws": (RawPacket, packet_vectors.raws()),
}
INFO_PACKET = Info(
    contract_version=CONTRACT_VERSION,
    identity="0123456789abcdef",
    window_samples=128,
    hop_samples=64,
    sample_rate_hz=50,
    imu=Imu.LSM9DS1,
    reset_reason=2,
    faults=0x0102,
    acc_gain_q14=16500,
    bad_writes=1,
    locked_writes=2,
    lost_notifications=3,
    lost_raw=2**32 - 1,
    labels=CLASSES,
    board="nano33ble",
)

bytes_ = st.integers(0, 255)
words = st.integers(0, 2**32 - 1)
classes = st.sampled_from([*range(len(CLASSES)), UNKNOWN_ACTIVITY])
predictions = st.builds(
    PredictionPacket,
    st.integers(0, 255).map(Flag),
    st.integers(0, 2**16 - 1),
    classes,
    classes,
    bytes_,
    st.tuples(*[bytes_] * 6),
    words,
    words,
)
configs = st.builds(Config, st.integers(0, 6), bytes_, st.integers(1, 255), st.booleans(), st.booleans())
counts = st.integers(-(2**15), 2**15 - 1)
raws = st.builds(RawPacket, st.integers(0, 2**16 - 1), st.tuples(*[st.tuples(*[counts] * 6)] * 5))
calibrations = st.builds(CalibrationPacket, bytes_, bytes_, st.lists(counts, min_size=9, max_size=9).map(Rotation.of))


@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_packet_is_read_from_its_bytes_and_gives_them_again(kind: str) -> None:
    packet_type, packets = KINDS[kind]
    assert VECTORS[kind].keys() == packets.keys()
    for name, text in VECTORS[kind].items():
        assert packet_type.decode(bytes.fromhex(text)) == packets[name], name
        assert packets[name].encode().hex() == text


@pytest.mark.parametrize("vector", VECTORS["refused_configs"], ids=lambda v: v["name"])
def test_a_configuration_that_the_board_refuses_is_refused(vector: dict[str, str]) -> None:
    with pytest.raises(LinkError, match=r"expected .* got"):
        Config.decode(bytes.fromhex(vector["bytes"]))


@pytest.mark.parametrize("vector", VECTORS["refused_commands"], ids=lambda v: v["name"])
def test_a_command_that_the_board_refuses_is_refused(vector: dict[str, str]) -> None:
    with pytest.raises(LinkError, match=r"expected .* got"):
        CalibrationCommand.decode(bytes.fromhex(vector["bytes"]))


@given(predictions | configs | raws | calibrations)
def test_any_packet_is_read_back_as_it_was(packet: PredictionPacket | Config | RawPacket | CalibrationPacket) -> None:
    encoded = packet.encode()
    assert len(encoded) == packet.SIZE
    assert type(packet).decode(encoded) == packet


@given(st.binary(max_size=80), st.sampled_from([PredictionPacket, Config, RawPacket, CalibrationPacket, Info]))
def test_any_bytes_are_a_packet_or_an_error_of_ours(data: bytes, kind: type[PredictionPacket]) -> None:
    try:
        packet = kind.decode(data)
    except LinkError:
        return
    assert packet.encode() == data


@given(st.binary(max_size=25))
def test_any_bytes_are_a_command_or_an_error_of_ours(data: bytes) -> None:
    try:
        command = CalibrationCommand.decode(data)
    except LinkError:
        return
    assert command.encode() == data


def test_classes_have_names_and_unknown_too() -> None:
    packet = packet_vectors.predictions()["unknown yet"]
    assert (packet.activity_name, packet.label_name) == ("WALKING", "UNKNOWN")
    idle = packet_vectors.predictions()["no window"]
    assert (idle.activity_name, idle.label_name) == ("UNKNOWN", "UNKNOWN")


@pytest.mark.parametrize("classes_byte", [0x06, 0x60, 0xE0, 0xFE])
def test_a_class_that_the_contract_lacks_is_no_prediction(classes_byte: int) -> None:
    data = bytearray(packet_vectors.predictions()["a window"].encode())
    data[4] = classes_byte
    with pytest.raises(LinkError, match=r"expected a .* of 0 to 5 or 15"):
        PredictionPacket.decode(bytes(data))


@pytest.mark.parametrize("kind", [PredictionPacket, Info])
def test_another_version_is_told_with_the_next_step(kind: type[PredictionPacket]) -> None:
    encoded = INFO_PACKET.encode() if kind is Info else packet_vectors.predictions()["a window"].encode()
    with pytest.raises(LinkError, match=r"expected version 1 of .*, got 9; update"):
        kind.decode(b"\x09" + encoded[1:])


def test_info_is_read_back_as_it_was() -> None:
    encoded = INFO_PACKET.encode()
    assert len(encoded) == Info.HEADER_SIZE + sum(len(name) + 1 for name in CLASSES) + len("nano33ble")
    assert Info.decode(encoded) == INFO_PACKET
    assert (INFO_PACKET.imu_name, INFO_PACKET.acc_gain) == ("LSM9DS1", 16500 / 16384)


@pytest.mark.parametrize("size", [0, 37, 38, 60])
def test_info_that_was_cut_is_not_taken(size: int) -> None:
    with pytest.raises(LinkError, match=r"expected .* got"):
        Info.decode(INFO_PACKET.encode()[:size])


def test_info_of_the_longest_board_name_is_as_long_as_the_table_says() -> None:
    fields = {**INFO_PACKET.__dict__, "board": "a name of more than 15 characters"}
    assert len(Info(**fields).encode()) == Info.MAX_SIZE == INFO.max_bytes


@pytest.mark.parametrize(
    "values", [{"smoothing": 7}, {"smoothing": -1}, {"threshold": 256}, {"notify_every": 0}, {"notify_every": 256}]
)
def test_a_configuration_out_of_range_cannot_be_made(values: dict[str, int]) -> None:
    with pytest.raises(LinkError, match=r"expected .* from .* to .*, got"):
        Config(**values)


def test_set_needs_a_rotation_and_nothing_else_takes_one() -> None:
    with pytest.raises(LinkError, match="expected a rotation with SET"):
        CalibrationCommand(CalibrationAction.SET)
    with pytest.raises(LinkError, match="expected a rotation with SET"):
        CalibrationCommand(CalibrationAction.START, IDENTITY)
    with pytest.raises(LinkError, match="right-handed"):
        CalibrationCommand(CalibrationAction.SET, Rotation(((0, 0, 0), (0, 0, 0), (0, 0, 0))))


def test_raw_counts_are_an_array() -> None:
    packet = packet_vectors.raws()["raw"]
    assert packet.counts.shape == (5, 6)
    assert packet.counts[4].tolist() == [-32768, 32767, -1, 0, 1, 256]


def test_uuids_share_one_base_and_no_two_are_alike() -> None:
    uuids = [SERVICE_UUID, *(c.uuid for c in CHARACTERISTICS)]
    assert len(set(uuids)) == len(uuids)
    assert {uuid[8:] for uuid in uuids} == {"-0132-443e-879f-6999e12783c9"}
    assert all(c.properties & (Property.READ | Property.NOTIFY) for c in CHARACTERISTICS)
