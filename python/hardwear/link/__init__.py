"""The link to a device: frames, messages, transports, and the device on top of them."""

from pathlib import Path

from hardwear.link.link import ByteStream, Device, DeviceError, LinkCounters
from hardwear.link.messages import Hello, Prediction, Status, StreamAnswer, StreamPrediction
from hardwear.link.process_link import ProcessLink
from hardwear.link.serial_link import SerialLink, find_port

__all__ = [
    "ByteStream",
    "Device",
    "DeviceError",
    "Hello",
    "LinkCounters",
    "Prediction",
    "ProcessLink",
    "SerialLink",
    "Status",
    "StreamAnswer",
    "StreamPrediction",
    "find_port",
    "open_emulator",
    "open_serial",
]


def open_serial(port: str | None = None) -> Device:
    """Open the board on a serial port.

    Args:
        port: Port or pyserial URL. None: `HARDWEAR_PORT`, else the only board that is plugged in.

    Raises:
        LinkError: There is no board, more than one, or the port can't be opened.
    """
    return Device(SerialLink(find_port(port)))


def open_emulator(elf: Path) -> Device:
    """Boot a firmware image in QEMU.

    Args:
        elf: The image that `hardwear build --env emulator` made.

    Raises:
        LinkError: QEMU is missing or does not start.
    """
    from hardwear.link.emulator import EmulatorLink  # here, because only this needs QEMU

    return Device(EmulatorLink(elf))
