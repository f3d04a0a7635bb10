"""A connection to a wearable, whichever way: what monitor, calibrate and configure need of it."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from hardwear.errors import LinkError
from hardwear.wearable.packets import CalibrationCommand, CalibrationPacket, Config, PredictionPacket

Packet = PredictionPacket | CalibrationPacket
"""What a wearable sends unasked."""


class ConnectionLost(LinkError):
    """There was a connection and it has ended; another one may succeed."""


class WriteRefused(LinkError):
    """The board did not take a value; it still has the one before."""


@dataclass(frozen=True)
class Board:
    """What a wearable says of itself, as far as the way tells."""

    name: str
    identity: str
    """First eight bytes of its bundle's identity, 16 hexadecimal digits."""
    sensor: str = ""
    """Its motion sensor; empty where the way doesn't tell, as with the faults and counters below."""
    faults: int = 0
    """Bits of `fault` in `firmware/core/wearable.h`."""
    bad_writes: int = 0
    locked_writes: int = 0


class Connection(Protocol):
    """A wearable that answers. Use it from one thread. Every failure is a `LinkError` that says what to do next."""

    @property
    def name(self) -> str:
        """What it is connected to: `AA:BB:CC:DD:EE:FF`, `/dev/ttyACM0`."""

    @property
    def way(self) -> str:
        """How: `BLE` or `serial`."""

    def board(self) -> Board:
        """Ask what the board is."""

    def read_config(self) -> Config:
        """Ask how it is set."""

    def write_config(self, config: Config) -> None:
        """Ask to set it so; `read_config` tells whether it did."""

    def read_calibration(self) -> CalibrationPacket:
        """Ask how a calibration goes, and for the rotation in force."""

    def write_calibration(self, command: CalibrationCommand) -> None:
        """Ask to do something about the calibration; `read_calibration` tells whether it did."""

    def unlock(self) -> None:
        """Let changes in over Bluetooth for a minute.

        Raises:
            LinkError: This way can't give leave.
        """

    def subscribe(self) -> None:
        """Have predictions and calibration packets sent from now on."""

    def notify_every(self) -> int:
        """Of the packets that the board numbers it sends every so many."""

    def next_packet(self, timeout_s: float) -> Packet | None:
        """Wait for the next packet; None if none came.

        Raises:
            ConnectionLost: The connection has ended.
        """

    def close(self) -> None:
        """End it; more than once does no harm."""


class Route(Protocol):
    """A way to one wearable, on which connections are made, one after the other. A context manager."""

    def connect(self) -> Connection:
        """Find the wearable, the same one each time, and connect.

        Raises:
            LinkError: There is none, more than one, or it doesn't answer.
        """

    def close(self) -> None:
        """Let go of everything."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def write_config(connection: Connection, config: Config) -> None:
    """Set the board, and make sure that it is set so.

    Raises:
        WriteRefused: It is not.
        LinkError: No answer.
    """
    before = connection.board()
    connection.write_config(config)
    found = connection.read_config()
    if found != config:
        raise _refusal(connection, before, f"{found}")


def write_calibration(connection: Connection, command: CalibrationCommand) -> None:
    """Ask something of the calibration, and make sure that the board took it.

    Raises:
        WriteRefused: It did not.
        LinkError: No answer.
    """
    before = connection.board()
    connection.write_calibration(command)
    after = connection.board()
    if (after.bad_writes, after.locked_writes) != (before.bad_writes, before.locked_writes):
        raise _refusal(connection, before, "the calibration that it had")


def _refusal(connection: Connection, before: Board, kept: str) -> WriteRefused:
    if connection.board().locked_writes != before.locked_writes:
        return WriteRefused(
            f"{connection.name} takes changes only from a bonded link or within a minute of the wearer's leave. "
            "Next step: double tap the board while you stand still, or plug it in and run hardwear configure --unlock, "
            "and try again"
        )
    return WriteRefused(
        f"{connection.name} did not take the change and keeps {kept}. Next step: update Hardwear or the firmware so "
        "that both are of one version"
    )
