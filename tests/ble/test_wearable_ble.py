"""Over Bluetooth: bleak's own BlueZ backend on a stand-in for BlueZ, and behind that the firmware.

Everything but the radio is what a user has: route, bleak, D-Bus on this side, the wearable with its service on the
other.
"""

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from ble.conftest import ADDRESS
from ble.org_bluez import Board, OrgBluez
from hardwear.contract import CLASSES
from hardwear.errors import LinkError
from hardwear.wearable import gatt
from hardwear.wearable.ble_link import BleConnection, BleRoute
from hardwear.wearable.calibrate import CalibrationFailed, calibrate, forget
from hardwear.wearable.calibration import STILL_SAMPLES, CalibrationState
from hardwear.wearable.connection import ConnectionLost, WriteRefused, write_config
from hardwear.wearable.monitor import Event, Limits, watch
from hardwear.wearable.orientation import IDENTITY
from hardwear.wearable.packets import CalibrationPacket, Config, Flag, PredictionPacket
from wearer import mounted, standing, walking

UPSIDE_DOWN = np.diag([-1.0, -1.0, 1.0])
HOP = 64
# A window falls due a little after its last sample: filters look ahead.
ONE_WINDOW = standing(2 * HOP + 32)
TWO_WINDOWS = standing(3 * HOP + 32)
LONGEST_S = 20.0


@pytest.fixture
def connection(board: Board) -> Iterator[BleConnection]:
    with BleRoute(ADDRESS) as route:
        made = route.connect()
        yield made
        made.close()


def predictions(connection: BleConnection, count: int) -> list[PredictionPacket]:
    found = [connection.next_packet(10) for _ in range(count)]
    assert all(isinstance(packet, PredictionPacket) for packet in found)
    return [packet for packet in found if isinstance(packet, PredictionPacket)]


# -- finding --------------------------------------------------------------------------------------------------------


def test_the_board_is_found_by_its_service_alone(board: Board, bluez: OrgBluez) -> None:
    board.name = "something else"
    with BleRoute() as route:
        connection = route.connect()
        assert connection.name == ADDRESS
        assert connection.board().sensor == "LSM9DS1"
        connection.close()


def test_several_boards_are_listed_and_one_can_be_named(board: Board, bluez: OrgBluez) -> None:
    other = bluez.add_board("C0:11:22:33:44:66", "Second")
    with (
        BleRoute() as route,
        pytest.raises(LinkError, match=r"found 2: .*44:55 \(Hardwear\), .*44:66 \(Second\).*--address"),
    ):
        route.connect()
    with BleRoute(other.address.lower()) as route:
        assert route.connect().name == other.address


def test_without_a_board_the_message_says_what_to_look_at(bluez: OrgBluez) -> None:
    with BleRoute(scan_s=0.3) as route, pytest.raises(LinkError, match=r"found no wearable in 0.3 s.*switched on"):
        route.connect()


def test_a_wrong_address_is_told_with_what_is_there(board: Board) -> None:
    with BleRoute("C0:00:00:00:00:01", scan_s=0.5) as route, pytest.raises(LinkError, match=f"only {ADDRESS}"):
        route.connect()


def test_without_an_adapter_the_message_says_so(bus: str) -> None:
    with (
        OrgBluez(bus, adapters=0),
        BleRoute() as route,
        pytest.raises(LinkError, match=r"no Bluetooth adapter.*--port"),
    ):
        route.connect()


def test_bluetooth_switched_off_is_told(bus: str) -> None:
    with OrgBluez(bus, powered=False), BleRoute() as route, pytest.raises(LinkError, match="switched off"):
        route.connect()


def test_without_bluez_the_message_says_how_to_get_it(bus: str) -> None:
    with BleRoute() as route, pytest.raises(LinkError, match=r"service does not run.*install bluez"):
        route.connect()


def test_without_a_message_bus_the_message_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere")
    with BleRoute() as route, pytest.raises(LinkError, match=r"D-Bus.*start dbus"):
        route.connect()


# -- reading --------------------------------------------------------------------------------------------------------


def test_windows_arrive_as_the_firmware_sent_them(board: Board, connection: BleConnection) -> None:
    connection.subscribe()
    board.do(lambda peripheral: peripheral.move(TWO_WINDOWS))
    first, second = predictions(connection, 2)
    assert second.sequence - first.sequence == 1
    assert second.time_ms - first.time_ms == pytest.approx(1280, abs=100)  # the sensor is looked at every 100 ms
    assert first.activity_name in CLASSES
    assert abs(sum(first.probabilities) - 255) <= 6
    assert first.probabilities[first.activity] == first.confidence
    assert first.inference_us > 0
    assert Flag.UNCALIBRATED in first.flags


def test_python_and_firmware_have_one_table_of_characteristics(board: Board) -> None:
    held = board.peripheral
    assert held.service == gatt.SERVICE_UUID
    assert [c.uuid for c in held.characteristics] == [c.uuid for c in gatt.CHARACTERISTICS]


def test_a_board_for_bonded_centrals_says_what_to_do(board: Board, connection: BleConnection) -> None:
    board.do(
        lambda peripheral: setattr(peripheral.characteristics[gatt.CHARACTERISTICS.index(gatt.INFO)], "value", b"")
    )
    with pytest.raises(LinkError, match=r"double tap .*bluetoothctl pair"):
        connection.board()


# -- losing ---------------------------------------------------------------------------------------------------------


def test_a_broken_link_is_told_as_such(board: Board, connection: BleConnection) -> None:
    connection.subscribe()
    board.drop()
    with pytest.raises(ConnectionLost, match=ADDRESS):
        connection.next_packet(5)
    with pytest.raises(ConnectionLost):
        connection.read_config()


def test_the_monitor_finds_the_board_again_and_counts_what_it_missed(board: Board) -> None:
    events: list[Event] = []
    received = lost = 0
    with BleRoute() as route:
        for state in watch(route, Limits(packets=4, seconds=LONGEST_S)):
            events.append(state.event)
            received, lost = state.received, state.lost
            if events == [Event.CONNECTED]:
                board.do(lambda peripheral: peripheral.move(TWO_WINDOWS))
            elif received == 2 and state.event is Event.PACKET:
                board.drop()
                # Three windows, half heard by nobody, before the board is found again.
                board.do(lambda peripheral: peripheral.move(standing(3 * HOP)))
            elif events.count(Event.CONNECTED) == 2 and state.event is Event.CONNECTED:
                board.do(lambda peripheral: peripheral.move(standing(2 * HOP)))
    assert [event.value for event in events].count("connected") == 2
    assert Event.LOST in events
    assert (received, lost) == (4, 3)
    assert board.connections == 2


def test_a_board_out_of_reach_is_waited_for(board: Board) -> None:
    seen: list[str] = []
    back = threading.Timer(1.5, lambda: setattr(board, "in_reach", True))
    with BleRoute(scan_s=0.5) as route:
        for state in watch(route, Limits(packets=2, seconds=LONGEST_S)):
            seen.append(state.trouble)
            if state.event is Event.CONNECTED:
                board.do(lambda peripheral: peripheral.move(ONE_WINDOW))
            if state.received == 1 and state.event is Event.PACKET:
                board.drop(in_reach=False)
                back.start()
    assert any("found no wearable at" in trouble for trouble in seen)
    assert seen[-1] == ""


# -- changing -------------------------------------------------------------------------------------------------------

WANTED = Config(smoothing=3, threshold=100, notify_every=2, led=False, low_power=True)


def test_settings_are_not_changed_without_the_wearers_leave(board: Board, connection: BleConnection) -> None:
    with pytest.raises(WriteRefused, match=r"double tap.*configure --unlock"):
        write_config(connection, WANTED)
    assert connection.read_config() == Config()
    assert connection.board().locked_writes == 1


def test_with_leave_the_board_is_set_and_says_so(board: Board, connection: BleConnection) -> None:
    board.do(lambda peripheral: peripheral.knock())
    write_config(connection, WANTED)
    assert connection.read_config() == WANTED
    assert connection.notify_every() == 2


def test_leave_ends_after_a_minute(board: Board, connection: BleConnection) -> None:
    board.do(lambda peripheral: peripheral.knock())
    board.do(lambda peripheral: peripheral.move(standing(61 * 50)))
    with pytest.raises(WriteRefused):
        write_config(connection, WANTED)


def test_a_bonded_central_needs_no_leave(board: Board) -> None:
    board.bonded = True
    with BleRoute(ADDRESS) as route:
        connection = route.connect()
        write_config(connection, WANTED)
        connection.close()


def test_a_bad_write_is_put_back_and_counted(board: Board, connection: BleConnection) -> None:
    board.do(lambda peripheral: peripheral.knock())
    connection._write(gatt.CONFIG, b"\x01\x07\x80\x01\x01\x00")  # smoothing 7
    assert connection.read_config() == Config()
    assert connection.board().bad_writes == 1
    connection._write(gatt.CONFIG, b"\x01")
    assert connection.read_config() == Config()
    assert connection.board().bad_writes == 2


# -- calibrating ----------------------------------------------------------------------------------------------------


class Wearer:
    """Does what he is told, from the first packet of a calibration on, a second at a time."""

    def __init__(self, board: Board, samples: np.ndarray) -> None:
        self.told: list[CalibrationPacket] = []
        self._begun = threading.Event()
        self._board = board
        self._samples = samples
        self._thread = threading.Thread(target=self._move)

    def tell(self, packet: CalibrationPacket) -> None:
        self.told.append(packet)
        self._begun.set()

    def __enter__(self) -> "Wearer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._begun.set()
        self._thread.join(20)

    def _move(self) -> None:
        assert self._begun.wait(20)
        for chunk in np.array_split(self._samples, len(self._samples) // 50):
            self._board.do(lambda peripheral, chunk=chunk: peripheral.move(chunk))  # type: ignore[misc]


def test_a_wearer_is_guided_to_a_calibration(board: Board, connection: BleConnection) -> None:
    board.do(lambda peripheral: peripheral.knock())
    motion = mounted(np.concatenate([standing(STILL_SAMPLES + 25), walking(700)]), UPSIDE_DOWN)
    with Wearer(board, motion) as wearer:
        rotation = calibrate(connection, wearer.tell)
    told = wearer.told
    states = [packet.state for packet in told]
    assert states == sorted(states)
    assert set(states) == {CalibrationState.STAND_STILL, CalibrationState.WALK, CalibrationState.DONE}
    steps = [packet.progress for packet in told if packet.state == CalibrationState.WALK]
    assert steps == sorted(steps)
    assert len(set(steps)) > 5
    assert rotation.matrix()[0, 0] < -0.9
    assert connection.read_calibration().rotation == rotation

    connection.subscribe()
    board.do(lambda peripheral: peripheral.move(mounted(standing(3 * HOP), UPSIDE_DOWN)))
    flags = [p.flags for p in iter(lambda: connection.next_packet(1), None) if isinstance(p, PredictionPacket)]
    assert Flag.UNCALIBRATED not in flags[-1]

    forget(connection)
    assert connection.read_calibration().rotation == IDENTITY


def test_a_wearer_who_does_not_stand_still_is_told_so(board: Board, connection: BleConnection) -> None:
    board.do(lambda peripheral: peripheral.knock())
    with Wearer(board, walking(31 * 50)) as wearer, pytest.raises(CalibrationFailed, match="moved") as raised:
        calibrate(connection, wearer.tell)
    assert raised.value.exit_code == 1
    assert connection.read_calibration().rotation == IDENTITY


def test_a_calibration_needs_leave_too(board: Board, connection: BleConnection) -> None:
    with pytest.raises(WriteRefused, match="double tap"):
        calibrate(connection, lambda packet: None)
    assert connection.read_calibration().state == CalibrationState.IDLE


def test_settings_survive_what_others_write(board: Board, connection: BleConnection) -> None:
    board.do(lambda peripheral: peripheral.knock())
    write_config(connection, WANTED)
    write_config(connection, replace(WANTED, led=True))
    assert connection.read_config() == replace(WANTED, led=True)
