"""A wearable over serial: what it tells unasked and what it can be set to, by the firmware's own session under ASan."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardwear.errors import LinkError
from hardwear.link import Device, DeviceError, Hello, ProcessLink
from hardwear.link.frames import Frame, FrameReceiver, encode_frame
from hardwear.link.messages import ANSWER_BIT, DeviceErrorReport, ErrorCode, MessageType, decode_unlock
from hardwear.wearable.orientation import IDENTITY
from hardwear.wearable.packets import (
    CalibrationAction,
    CalibrationCommand,
    CalibrationPacket,
    Config,
    Flag,
    PredictionPacket,
)
from native import ADDRESS_AND_UNDEFINED, build, core_sources, program
from packet_vectors import TURNED

TIMEOUT_S = 20.0


@pytest.fixture(scope="module")
def worn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    main = Path(__file__).with_name("live_main.cpp")
    return build([*core_sources(), main], tmp_path_factory.mktemp("live") / "worn", ["-O1", *ADDRESS_AND_UNDEFINED])


@pytest.fixture
def device(worn: Path) -> Iterator[Device]:
    link = ProcessLink([worn])
    with Device(link, timeout_s=TIMEOUT_S) as device:
        yield device
    assert link.exit_code == 0  # no sanitizer had anything to say


def test_live_packets_come_in_order_and_none_is_lost_between_other_requests(device: Device) -> None:
    assert device.next_prediction(0.01) is None
    device.live()
    for _ in range(5):
        device.stats()
    packets = []
    while (packet := device.next_prediction(0.2)) is not None:
        packets.append(packet)
    assert len(packets) == 6
    assert all(b.sequence == a.sequence + 1 for a, b in pairwise(packets))
    assert (packets[0].activity_name, packets[0].label_name) == ("WALKING_UPSTAIRS", "WALKING_DOWNSTAIRS")
    assert packets[0].flags == Flag.UNCALIBRATED
    assert device.counters.stale == 0


def test_live_off_ends_it(device: Device) -> None:
    device.live()
    device.live(False)
    device.stats()
    assert device.next_prediction(0.1) is None
    device.live()
    device.reset()
    device.stats()
    assert device.next_prediction(0.1) is None


def test_settings_are_read_and_written(device: Device) -> None:
    assert device.config() == Config()
    wanted = Config(3, 200, 7, led=False, low_power=True)
    assert device.configure(wanted) == wanted
    assert device.config() == wanted


def test_a_calibration_is_started_cancelled_set_and_forgotten(device: Device) -> None:
    assert device.calibration() == CalibrationPacket(0, 0, IDENTITY)
    assert device.calibrate(CalibrationCommand(CalibrationAction.START)).state == 1
    assert device.calibrate(CalibrationCommand(CalibrationAction.CANCEL)).state == 7
    assert device.calibrate(CalibrationCommand(CalibrationAction.SET, TURNED)).rotation == TURNED
    assert device.calibrate(CalibrationCommand(CalibrationAction.FORGET)).rotation == IDENTITY


def test_unlock_opens_ble_for_a_minute(device: Device) -> None:
    assert device.unlock() == 60


def test_a_device_that_only_replays_says_so_and_what_to_do() -> None:
    with Device(ProcessLink([program()]), timeout_s=TIMEOUT_S) as replayer:
        for ask in (replayer.live, replayer.config, replayer.calibration, replayer.unlock):
            with pytest.raises(DeviceError, match=r"no sensor.*only replays.*connect a wearable") as raised:
                ask()
            assert raised.value.report.code == ErrorCode.NO_SENSOR


payloads = st.one_of(
    st.binary(max_size=30),
    st.builds(Config, st.integers(0, 6), st.integers(0, 255), st.integers(1, 255), st.booleans(), st.booleans()).map(
        Config.encode
    ),
    st.sampled_from(
        [b"", b"\x00", b"\x01", *(CalibrationCommand(CalibrationAction.SET, r).encode() for r in (IDENTITY, TURNED))]
    ),
    st.binary(min_size=18, max_size=18).map(lambda matrix: b"\x04" + matrix),
    st.binary(min_size=1500, max_size=1600),
)
requests = st.builds(Frame, st.integers(6, 9), st.integers(1, 0xFFFF), payloads)


def is_good(request: Frame) -> bool:
    """Whether Python's own reader takes it."""
    payload = request.payload
    try:
        if request.type == MessageType.LIVE:
            return payload in (b"\x00", b"\x01")
        if request.type == MessageType.CONFIG:
            return not payload or Config.decode(payload) is not None
        if request.type == MessageType.CALIBRATE:
            return not payload or CalibrationCommand.decode(payload) is not None
        return payload == b""
    except LinkError:
        return False


class Line:
    """The program, and what it answers to raw frames."""

    def __init__(self, path: Path) -> None:
        self.link = ProcessLink([path])
        self.receiver = FrameReceiver()

    def ask(self, data: bytes) -> list[Frame]:
        """Send bytes, then HELLO; returns the answers before HELLO's."""
        self.link.write(data + encode_frame(Frame(MessageType.HELLO, 0xABCD)))
        before: list[Frame] = []
        while True:
            received = self.link.read(65536, TIMEOUT_S)
            assert received, "HELLO was not answered"
            for frame in self.receiver.feed(received):
                assert isinstance(frame, Frame), f"the device sent a damaged frame: {frame}"
                if frame.type == MessageType.HELLO | ANSWER_BIT:
                    assert Hello.decode(frame.payload).ready
                    return before
                if frame.type == MessageType.PREDICTION:
                    PredictionPacket.decode(frame.payload)
                elif frame.type != MessageType.LOG:
                    before.append(frame)


@pytest.fixture(scope="module")
def line(worn: Path) -> Iterator[Line]:
    line = Line(worn)
    yield line
    line.link.close()
    assert line.link.exit_code == 0


@given(asked=st.lists(requests, min_size=1, max_size=8))
@settings(max_examples=400, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.function_scoped_fixture])
def test_both_languages_take_and_refuse_the_same_requests(line: Line, asked: list[Frame]) -> None:
    answers = line.ask(b"".join(encode_frame(request) for request in asked))
    assert len(answers) == len(asked)
    for request, answer in zip(asked, answers, strict=True):
        assert answer.sequence == request.sequence
        if not is_good(request):
            report = DeviceErrorReport.decode(answer.payload)
            assert answer.type == MessageType.ERROR
            assert report.code in (ErrorCode.BAD_LENGTH, ErrorCode.BAD_VALUE)
            continue
        assert answer.type == request.type | ANSWER_BIT
        if request.type == MessageType.CONFIG:
            config = Config.decode(answer.payload)
            assert not request.payload or config.encode() == request.payload
        elif request.type == MessageType.CALIBRATE:
            assert CalibrationPacket.decode(answer.payload).rotation.is_rotation()
        elif request.type == MessageType.UNLOCK:
            assert decode_unlock(answer.payload) == 60
