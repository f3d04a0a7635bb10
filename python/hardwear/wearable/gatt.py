"""The BLE service: what a central finds. Twin of `firmware/core/gatt.h`."""

from dataclasses import dataclass
from enum import IntFlag

from hardwear.wearable.packets import CalibrationPacket, Config, Info, PredictionPacket, RawPacket

DEVICE_NAME = "Hardwear"
"""The local name that the board advertises."""
MANUFACTURER = "Hardwear"
"""Manufacturer name string of the Device Information service."""


class Property(IntFlag):
    """What a characteristic offers, as the Bluetooth core specification numbers it."""

    READ = 0x02
    WRITE = 0x08
    NOTIFY = 0x10


@dataclass(frozen=True)
class Characteristic:
    """A characteristic of the service."""

    uuid: str
    properties: Property
    max_bytes: int
    """Of a value, read or written."""
    description: str
    """Descriptor 0x2901."""


def _uuid(number: int) -> str:
    return f"f879{number:04x}-0132-443e-879f-6999e12783c9"


SERVICE_UUID = _uuid(1)
"""What the board advertises, and what it is found by."""

PREDICTION = Characteristic(_uuid(2), Property.READ | Property.NOTIFY, PredictionPacket.SIZE, "Activity, one window")
CONFIG = Characteristic(_uuid(3), Property.READ | Property.WRITE, Config.SIZE, "Settings")
CALIBRATION = Characteristic(
    _uuid(4), Property.READ | Property.WRITE | Property.NOTIFY, CalibrationPacket.SIZE, "Calibration"
)
INFO = Characteristic(_uuid(5), Property.READ, Info.MAX_SIZE, "What this board is")
RAW = Characteristic(_uuid(6), Property.NOTIFY, RawPacket.SIZE, "Raw motion, 5 samples")

CHARACTERISTICS = (PREDICTION, CONFIG, CALIBRATION, INFO, RAW)
"""In the order of the firmware's table."""
