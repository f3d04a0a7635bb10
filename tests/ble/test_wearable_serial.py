"""Over the cable: the same board behind a serial line."""

import threading

import numpy as np
import pytest

from ble.cable import Cable
from hardwear.errors import LinkError
from hardwear.link import Device, DeviceError, ProcessLink
from hardwear.wearable.calibrate import calibrate, forget
from hardwear.wearable.calibration import STILL_SAMPLES, CalibrationState
from hardwear.wearable.connection import ConnectionLost, write_config
from hardwear.wearable.monitor import Event, Limits, watch
from hardwear.wearable.orientation import IDENTITY
from hardwear.wearable.packets import CalibrationPacket, Config
from hardwear.wearable.serial_route import SerialConnection, SerialRoute
from native import program
from wearer import mounted, standing, walking

HOP = 64
ONE_WINDOW = standing(2 * HOP + 32)
TWO_WINDOWS = standing(3 * HOP + 32)
UPSIDE_DOWN = np.diag([-1.0, -1.0, 1.0])
WANTED = Config(smoothing=3, threshold=100, notify_every=2, led=False, low_power=True)


def test_every_window_comes_over_the_cable(cable: Cable) -> None:
    seen = []
    with SerialRoute(cable.port) as route:
        for state in watch(route, Limits(packets=2, seconds=20)):
            seen.append(state)
            if state.event is Event.CONNECTED:
                cable.do(lambda peripheral: peripheral.move(TWO_WINDOWS))
    assert [state.event for state in seen] == [Event.CONNECTED, Event.PACKET, Event.PACKET]
    assert (seen[-1].board.name, seen[-1].way, seen[-1].lost) == ("native", "serial", 0)


def test_a_pulled_cable_is_found_again_and_what_was_missed_is_counted(cable: Cable) -> None:
    events = []
    with SerialRoute(cable.port) as route:
        for state in watch(route, Limits(packets=4, seconds=30)):
            events.append(state.event)
            if state.event is Event.CONNECTED:
                cable.do(lambda peripheral: peripheral.move(TWO_WINDOWS if len(events) == 1 else standing(2 * HOP)))
            elif state.event is Event.PACKET and state.received == 2:
                cable.pull()
                cable.do(lambda peripheral: peripheral.move(standing(3 * HOP)))
    assert (state.received, state.lost, events.count(Event.CONNECTED)) == (4, 3, 2)
    assert Event.LOST in events


def test_a_pulled_cable_is_told_as_such(cable: Cable) -> None:
    with SerialRoute(cable.port) as route:
        connection = route.connect()
        connection.subscribe()
        cable.pull()
        with pytest.raises(ConnectionLost, match="plug the board in"):
            connection.next_packet(5)
        connection.close()


def test_who_holds_the_cable_needs_no_leave(cable: Cable) -> None:
    with SerialRoute(cable.port) as route:
        connection = route.connect()
        write_config(connection, WANTED)
        assert connection.read_config() == WANTED
        assert connection.notify_every() == 1  # over the cable every window comes all the same
        connection.close()


def test_a_cable_lets_changes_in_over_bluetooth(cable: Cable) -> None:
    with SerialRoute(cable.port) as route:
        connection = route.connect()
        connection.unlock()
        connection.close()
    cable.do(lambda peripheral: peripheral.write(1, WANTED.encode()))
    cable.do(
        lambda peripheral: pytest.fail("refused") if peripheral.characteristics[1].value != WANTED.encode() else None
    )


def test_a_wearer_is_guided_over_the_cable_too(cable: Cable) -> None:
    told: list[CalibrationPacket] = []
    motion = mounted(np.concatenate([standing(STILL_SAMPLES + 25), walking(700)]), UPSIDE_DOWN)
    going = threading.Event()

    def move() -> None:
        assert going.wait(20)
        cable.do(lambda peripheral: peripheral.move(motion[: STILL_SAMPLES + 125]))
        while not any(packet.state == CalibrationState.WALK for packet in told):
            threading.Event().wait(0.02)
        cable.do(lambda peripheral: peripheral.move(motion[STILL_SAMPLES + 125 :]))

    thread = threading.Thread(target=move)
    thread.start()

    def tell(packet: CalibrationPacket) -> None:
        told.append(packet)
        going.set()

    with SerialRoute(cable.port) as route:
        connection = route.connect()
        rotation = calibrate(connection, tell)
        thread.join(20)
        assert [packet.state for packet in told] == sorted(packet.state for packet in told)
        assert rotation.matrix()[0, 0] < -0.9
        forget(connection)
        assert connection.read_calibration().rotation == IDENTITY
        connection.close()


def test_a_board_that_only_replays_says_so() -> None:
    with Device(ProcessLink([program()])) as device:
        connection = SerialConnection(device, device.hello())
        with pytest.raises(DeviceError, match="only replays"):
            connection.subscribe()


def test_without_a_board_the_message_is_that_of_every_serial_verb() -> None:
    with SerialRoute("/dev/nowhere") as route, pytest.raises(LinkError, match="can't open /dev/nowhere"):
        route.connect()
