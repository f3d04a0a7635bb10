"""What a user is told when Bluetooth fails in ways that a stand-in for BlueZ does not."""

import sys

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakError,
    BleakGATTProtocolError,
)

from hardwear.errors import LinkError
from hardwear.wearable.ble_advice import advise
from hardwear.wearable.ble_link import BleRoute


def test_without_bleak_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bleak", None)
    with pytest.raises(LinkError, match=r"not installed.*pip install 'hardwear\[ble\]'"):
        BleRoute()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BleakDBusError("org.freedesktop.DBus.Error.AccessDenied", ["no"]), "usermod -aG bluetooth"),
        (BleakDBusError("org.bluez.Error.NotReady", ["Resource Not Ready"]), "switched off"),
        (BleakDBusError("org.freedesktop.DBus.Error.NoReply", []), "restart bluetooth"),
        (BleakDBusError("org.bluez.Error.Failed", ["br-connection-busy"]), "br-connection-busy"),
        (BleakGATTProtocolError(0x05), "bluetoothctl pair"),
        (BleakGATTProtocolError(0x0E), "Unlikely Error"),
        (BleakCharacteristicNotFoundError("f8790005"), "remove ADDRESS"),
        (TimeoutError(), "did not answer in time"),
        (BleakError("anything"), "anything"),
        *((BleakBluetoothNotAvailableError("x", r), "Bluetooth") for r in BleakBluetoothNotAvailableReason),
    ],
)
def test_every_failure_names_a_next_step(error: Exception, words: str) -> None:
    said = str(advise(error))
    assert words in said
    assert ". Next step: " in said
