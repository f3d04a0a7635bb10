"""A wearable over its cable: the same packets in the frames of `docs/protocol.md`."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from hardwear.errors import LinkError
from hardwear.link import Device, DeviceError, Hello, open_serial
from hardwear.wearable.connection import Board, ConnectionLost, Packet
from hardwear.wearable.packets import CalibrationCommand, CalibrationPacket, Config

QUIET_S = 40.0
"""After so long without a packet the board is asked whether it is still there: asleep it sends one in 30 s."""

_Result = TypeVar("_Result")


class SerialRoute:
    """A `Route` over a serial port.

    Args:
        port: Port or pyserial URL. None: `HARDWEAR_PORT`, else the only board that is plugged in, wherever it turns up.
    """

    def __init__(self, port: str | None = None) -> None:
        self._port = port

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> "SerialConnection":
        """Open the port and ask who is there.

        Raises:
            LinkError: No board, more than one, it doesn't answer, or it has no sensor.
        """
        device = open_serial(self._port)
        try:
            return SerialConnection(device, device.hello())
        except BaseException:
            device.close()
            raise

    def close(self) -> None:
        """Nothing stays open between connections."""


class SerialConnection:
    """A `Connection` over a serial port; `SerialRoute.connect` makes it."""

    def __init__(self, device: Device, hello: Hello) -> None:
        self._device = device
        self._hello = hello
        self._heard = time.monotonic()

    @property
    def name(self) -> str:
        """The port."""
        return self._device.name

    @property
    def way(self) -> str:
        """How it is connected."""
        return "serial"

    def board(self) -> Board:
        """What HELLO told."""
        return Board(self._hello.board, self._hello.identity)

    def read_config(self) -> Config:
        """Ask how it is set."""
        return self._ask(self._device.config)

    def write_config(self, config: Config) -> None:
        """Ask to set it so."""
        self._ask(lambda: self._device.configure(config))

    def read_calibration(self) -> CalibrationPacket:
        """Ask how a calibration goes."""
        return self._ask(self._device.calibration)

    def write_calibration(self, command: CalibrationCommand) -> None:
        """Ask to do something about it."""
        self._ask(lambda: self._device.calibrate(command))

    def unlock(self) -> None:
        """Let changes in over Bluetooth for a minute."""
        self._ask(self._device.unlock)

    def subscribe(self) -> None:
        """Have predictions sent. Calibration packets have to be asked for."""
        self._ask(self._device.live)
        self._heard = time.monotonic()

    def notify_every(self) -> int:
        """Over serial every packet is sent."""
        return 1

    def next_packet(self, timeout_s: float) -> Packet | None:
        """Wait for the next packet; None if none came.

        Raises:
            ConnectionLost: The board has gone.
            LinkError: It sends packets of another version.
        """
        try:
            packet = self._device.next_prediction(timeout_s)
        except LinkError as error:
            if error.__cause__ is None:
                raise  # a packet that can't be read; a port that has gone fails because of something
            raise ConnectionLost(str(error)) from error
        if packet is not None:
            self._heard = time.monotonic()
        elif time.monotonic() - self._heard > QUIET_S:
            self.subscribe()  # it may have started anew, which the port needs not notice
        return packet

    def close(self) -> None:
        """Close the port."""
        self._device.close()

    def _ask(self, request: Callable[[], _Result]) -> _Result:
        try:
            return request()
        except DeviceError:
            raise
        except LinkError as error:
            raise ConnectionLost(str(error)) from error
