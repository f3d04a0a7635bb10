"""Which way to a wearable the user's options, the environment and what is plugged in come to."""

import os

from hardwear.errors import LinkError
from hardwear.link.serial_link import ARDUINO_VENDOR, PORT_VARIABLE, ports
from hardwear.wearable.connection import Route

ADDRESS_VARIABLE = "HARDWEAR_ADDRESS"


def find_route(ble: bool, address: str | None, port: str | None) -> Route:
    """The way that is named, else the one of the environment, else a board on USB, else Bluetooth.

    Args:
        ble: Bluetooth, whatever is plugged in.
        address: Bluetooth, to this board.
        port: Serial, by this port or pyserial URL.

    Raises:
        LinkError: Both ways are named, or Bluetooth is the way and bleak is missing.
    """
    if (ble or address) and port:
        raise LinkError("--port names a serial port and --ble or --address Bluetooth; give one of them")
    if port:
        return _serial(port)
    named = address or os.environ.get(ADDRESS_VARIABLE)
    if ble or named:
        return _bluetooth(named)
    if os.environ.get(PORT_VARIABLE) or any(port.vendor == ARDUINO_VENDOR for port in ports()):
        return _serial(None)
    return _bluetooth(None)


def _serial(port: str | None) -> Route:
    from hardwear.wearable.serial_route import SerialRoute

    return SerialRoute(port)


def _bluetooth(address: str | None) -> Route:
    from hardwear.wearable.ble_link import BleRoute

    return BleRoute(address)
