"""A serial port, or whatever else pyserial opens by URL, as a stream of bytes."""

import os
import select
import time
from collections.abc import Sequence
from dataclasses import dataclass

import serial
from serial.tools import list_ports

from hardwear.errors import LinkError

PORT_VARIABLE = "HARDWEAR_PORT"
ARDUINO_VENDOR = 0x2341
NANO_33_BLE_SKETCH = 0x805A
NANO_33_BLE_BOOTLOADER = 0x005A

BAUD_RATE = 115200  # USB ignores it; 1200 would start the bootloader
WRITE_TIMEOUT_S = 10.0
_POLL_S = 0.001


class SerialLink:
    """A `ByteStream` over pyserial.

    Args:
        url: A port such as `/dev/ttyACM0` or a pyserial URL such as `socket://127.0.0.1:5000`.

    Raises:
        LinkError: The port can't be opened.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        try:
            self._port = serial.serial_for_url(
                url, baudrate=BAUD_RATE, timeout=0, write_timeout=WRITE_TIMEOUT_S, exclusive=True
            )
        except (serial.SerialException, OSError, ValueError) as error:
            raise LinkError(f"can't open {url}: {error}. Next step: {_advice(error)}") from error
        # Waiting on the descriptor wakes at the first byte; pyserial's own timeout waits for a number of them.
        try:
            self._descriptor: int | None = self._port.fileno()
        except (AttributeError, OSError):
            self._descriptor = None

    @property
    def name(self) -> str:
        """The port."""
        return self._url

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        """Wait for bytes and return what is there; nothing only if none came in `timeout_s`.

        Raises:
            LinkError: The port has gone.
        """
        try:
            if self._descriptor is not None:
                ready, _, _ = select.select([self._descriptor], [], [], timeout_s)
                return bytes(self._port.read(max_bytes)) if ready else b""
            deadline = time.monotonic() + timeout_s
            while not (data := bytes(self._port.read(max_bytes))) and time.monotonic() < deadline:
                time.sleep(_POLL_S)
            return data
        except (serial.SerialException, OSError, TypeError, ValueError) as error:
            raise self._lost(error) from error

    def write(self, data: bytes) -> None:
        """Send all of `data`.

        Raises:
            LinkError: The port has gone or took nothing for ten seconds.
        """
        try:
            self._port.write(data)
        except serial.SerialTimeoutException as error:
            raise LinkError(
                f"{self._url} took no data for {WRITE_TIMEOUT_S:g} s. Next step: press the board's reset button"
            ) from error
        except (serial.SerialException, OSError, TypeError, ValueError) as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def _lost(self, error: Exception) -> LinkError:
        return LinkError(
            f"lost {self._url}: {error}. Next step: plug the board in again, and let no other program use the port"
        )


@dataclass(frozen=True)
class PortInfo:
    """A serial port of this computer."""

    device: str
    vendor: int | None
    product: int | None
    description: str


def ports() -> list[PortInfo]:
    """The serial ports of this computer, sorted by name."""
    found = (PortInfo(p.device, p.vid, p.pid, p.description or "") for p in list_ports.comports())
    return sorted(found, key=lambda port: port.device)


def find_port(port: str | None = None, candidates: Sequence[PortInfo] | None = None) -> str:
    """Which port to open: the one named, else the one in `HARDWEAR_PORT`, else the only board there is.

    Args:
        port: A port or pyserial URL, if the user named one.
        candidates: The ports to look among. Default: this computer's.

    Raises:
        LinkError: There is no board, only one in its bootloader, or more than one.
    """
    if named := port or os.environ.get(PORT_VARIABLE):
        return named
    seen = ports() if candidates is None else candidates
    boards = [p for p in seen if (p.vendor, p.product) == (ARDUINO_VENDOR, NANO_33_BLE_SKETCH)]
    waiting = [p for p in seen if (p.vendor, p.product) == (ARDUINO_VENDOR, NANO_33_BLE_BOOTLOADER)]
    if len(boards) == 1:
        return boards[0].device
    if boards:
        listed = ", ".join(f"{p.device} ({p.description})" for p in boards)
        raise LinkError(f"expected one board, found {len(boards)}: {listed}. Next step: name one by --port")
    if waiting:
        raise LinkError(
            f"the board on {waiting[0].device} is in its bootloader and runs no firmware. "
            "Next step: pio run -e nano33ble -t upload, or press its reset button once"
        )
    others = ", ".join(p.device for p in seen) or "none"
    raise LinkError(
        f"expected an Arduino Nano 33 BLE (USB {ARDUINO_VENDOR:04x}:{NANO_33_BLE_SKETCH:04x}), found no such port; "
        f"serial ports here: {others}. Next step: plug the board in, name a port by --port or {PORT_VARIABLE}, "
        "or use --emulator"
    )


def _advice(error: Exception) -> str:
    text = str(error).lower()
    if "permission" in text or "errno 13]" in text:
        return "sudo usermod -aG dialout $USER, then log in again"
    if "busy" in text or "lock" in text or "errno 11]" in text:
        return "close the other program that uses the port"
    if "refused" in text:
        return "start what should listen there first"
    return "check the name with `pio device list`"
