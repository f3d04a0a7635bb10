"""What guides a wearer through a calibration, without a wire."""

import pytest
from wearables import LOST, Clock, FakeConnection, Happening, prediction, turned

from hardwear.errors import LinkError
from hardwear.wearable.calibrate import LONGEST_S, CalibrationFailed, calibrate, forget, meaning
from hardwear.wearable.calibration import CalibrationState
from hardwear.wearable.connection import ConnectionLost, WriteRefused, write_config
from hardwear.wearable.orientation import IDENTITY, Rotation
from hardwear.wearable.packets import CalibrationAction, CalibrationPacket, Config, Flag

STAND, WALK, DONE = CalibrationState.STAND_STILL, CalibrationState.WALK, CalibrationState.DONE
FOUND = turned((0, 0, -1), (0, 1, 0), (1, 0, 0))


def packet(state: CalibrationState, progress: int = 0, rotation: Rotation = IDENTITY) -> CalibrationPacket:
    return CalibrationPacket(state, progress, rotation)


def wearer(*happenings: Happening, takes: bool = True, locked: bool = False) -> FakeConnection:
    return FakeConnection(list(happenings), Clock(), takes=takes, locked=locked)


def run(connection: FakeConnection) -> tuple[Rotation, list[CalibrationPacket]]:
    told: list[CalibrationPacket] = []
    return calibrate(connection, told.append, connection.clock), told


def test_it_starts_follows_and_returns_what_was_found() -> None:
    steps: list[Happening] = [packet(STAND, 100), prediction(0), packet(WALK, 20), packet(DONE, 255, FOUND)]
    connection = wearer(*steps)
    rotation, told = run(connection)
    assert rotation == FOUND
    assert list(dict.fromkeys(p.state for p in told)) == [STAND, WALK, DONE]
    assert [command.action for command in connection.commands] == [CalibrationAction.START]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (CalibrationState.FAILED_MOVED, "moved"),
        (CalibrationState.FAILED_GRAVITY, "off 1 g"),
        (CalibrationState.FAILED_NO_WALK, "walk"),
        (CalibrationState.CANCELLED, "cancelled"),
    ],
)
def test_each_failure_says_what_to_do(state: CalibrationState, words: str) -> None:
    with pytest.raises(CalibrationFailed, match=words) as raised:
        run(wearer(packet(state)))
    assert raised.value.exit_code == 1


def test_a_board_that_sends_nothing_is_asked() -> None:
    connection = wearer()
    original = connection.next_packet

    def silent_until_done(timeout_s: float) -> None:
        original(timeout_s)
        if connection.clock.now > 105:
            connection.calibration = packet(DONE, 255, FOUND)

    connection.next_packet = silent_until_done  # type: ignore[method-assign]
    assert run(connection)[0] == FOUND


def test_it_does_not_wait_for_ever() -> None:
    with pytest.raises(LinkError, match=f"within {LONGEST_S:g} s"):
        run(wearer())


def test_a_broken_sensor_ends_it_at_once() -> None:
    with pytest.raises(CalibrationFailed, match="absent"):
        run(wearer(prediction(0, flags=Flag.IMU_FAILING)))


def test_a_refused_start_names_the_next_step() -> None:
    with pytest.raises(WriteRefused, match="double tap"):
        run(wearer(locked=True))
    with pytest.raises(WriteRefused, match="one version"):
        run(wearer(takes=False))


def test_a_lost_link_is_told() -> None:
    with pytest.raises(ConnectionLost):
        run(wearer(packet(STAND), LOST))


def test_the_users_interrupt_cancels_it() -> None:
    connection = wearer(packet(STAND, 10))

    def interrupted(_: CalibrationPacket) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(connection, interrupted, connection.clock)
    assert [command.action for command in connection.commands] == [CalibrationAction.START, CalibrationAction.CANCEL]


def test_forgetting_goes_back_to_the_boards_own_axes() -> None:
    connection = wearer()
    connection.calibration = packet(DONE, 255, FOUND)
    forget(connection)
    assert connection.calibration.rotation == IDENTITY


def test_settings_that_do_not_hold_are_refused() -> None:
    connection = wearer(takes=False)
    with pytest.raises(WriteRefused, match="keeps Config"):
        write_config(connection, Config(smoothing=4))


def test_a_rotation_is_told_by_where_up_and_front_lie() -> None:
    said = meaning(FOUND)
    assert said[0] == "up (x) is the board's -z"
    assert said[1].startswith("your front is about the board's +y, 40° off")
    assert "90° off" in said[2]
    assert "not calibrated" in meaning(IDENTITY)[0]
