"""Guides a wearer through the calibration, and says what came of it."""

import math
import time
from collections.abc import Callable

from hardwear.errors import HardwearError, LinkError
from hardwear.wearable.calibration import ADVICE, CalibrationState
from hardwear.wearable.connection import Connection, write_calibration
from hardwear.wearable.orientation import IDENTITY, Rotation
from hardwear.wearable.packets import CalibrationAction, CalibrationCommand, CalibrationPacket, Flag, PredictionPacket
from hardwear.wearable.words import FLAG_WORDS, direction_words

LONGEST_S = 120.0
"""More than the board itself allows: half a minute to stand still and three quarters to walk."""
ASK_AGAIN_S = 0.5
"""After so long without a packet the board is asked: over serial it sends none, over BLE one may get lost."""
UNDER_WAY = frozenset({CalibrationState.STAND_STILL, CalibrationState.WALK})
FRONT_DEGREES = 40.0
"""From y towards z, where the wearers' fronts lie on average (docs/mounting.md); a standard deviation is 17."""
_BROKEN = Flag.IMU_FAILING | Flag.IMU_FROZEN


class CalibrationFailed(HardwearError):
    """The wearer or the sensor did not do what the calibration needs; the old one holds."""

    exit_code = 1


def calibrate(
    connection: Connection, tell: Callable[[CalibrationPacket], None], clock: Callable[[], float] = time.monotonic
) -> Rotation:
    """Start a calibration and follow it to its end; cancel it if the user does.

    Args:
        connection: To the wearable that is worn.
        tell: Called with each packet that comes.
        clock: Seconds that only go on.

    Returns:
        The rotation now in force, which the board keeps.

    Raises:
        CalibrationFailed: It came to nothing; the message says why and what to do.
        WriteRefused: The board did not take the start.
        LinkError: The board has gone.
    """
    connection.subscribe()
    write_calibration(connection, CalibrationCommand(CalibrationAction.START))
    try:
        packet = _follow(connection, tell, clock)
    except KeyboardInterrupt:
        connection.write_calibration(CalibrationCommand(CalibrationAction.CANCEL))
        raise
    if packet.state != CalibrationState.DONE:
        known = packet.state in set(CalibrationState)
        raise CalibrationFailed(
            ADVICE[CalibrationState(packet.state)] if known else f"calibration state {packet.state}: update Hardwear"
        )
    return packet.rotation


def forget(connection: Connection) -> None:
    """Have the board forget how it is worn.

    Raises:
        LinkError: It did not.
    """
    write_calibration(connection, CalibrationCommand(CalibrationAction.FORGET))
    if connection.read_calibration().rotation != IDENTITY:
        raise LinkError(f"{connection.name} did not forget its calibration. Next step: press reset and try again")


def _follow(
    connection: Connection, tell: Callable[[CalibrationPacket], None], clock: Callable[[], float]
) -> CalibrationPacket:
    """What the calibration ends with."""
    deadline = clock() + LONGEST_S
    packet, heard = connection.read_calibration(), clock()
    while packet.state in UNDER_WAY:
        tell(packet)
        if clock() > deadline:
            raise LinkError(
                f"expected the calibration to end within {LONGEST_S:g} s, it goes on. "
                "Next step: press the board's reset button and try again"
            )
        came = connection.next_packet(ASK_AGAIN_S)
        if isinstance(came, CalibrationPacket):
            packet, heard = came, clock()
        elif clock() - heard >= ASK_AGAIN_S:
            packet, heard = connection.read_calibration(), clock()
        if isinstance(came, PredictionPacket) and came.flags & _BROKEN:
            raise CalibrationFailed("; ".join(FLAG_WORDS[flag] for flag in Flag if flag in came.flags & _BROKEN))
    tell(packet)
    return packet


def meaning(rotation: Rotation) -> list[str]:
    """What a rotation says about how the board is worn, in sentences."""
    if rotation == IDENTITY:
        return ["not calibrated: the board's own axes are taken for the wearer's, its +x for up"]
    up, second, third = rotation.q14
    toward_y, toward_z = math.cos(math.radians(FRONT_DEGREES)), math.sin(math.radians(FRONT_DEGREES))
    front = tuple(toward_y * a + toward_z * b for a, b in zip(second, third, strict=True))
    cosine = up[0] / math.sqrt(sum(value * value for value in up))
    off = math.degrees(math.acos(max(-1.0, min(cosine, 1.0))))
    return [
        f"up (x) is {direction_words(up)}",
        f"your front is about {direction_words(front)}",
        f"taken for upright uncalibrated, it would be {off:.0f}° off",
    ]
