"""What to do about a failure of Bluetooth: bleak's exceptions as errors that name the next step."""

from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)

from hardwear.errors import LinkError

_NOT_AVAILABLE = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: (
        "this computer has no Bluetooth adapter",
        "plug one in, or use --port with the board on USB",
    ),
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: (
        "this computer's Bluetooth adapter can't do Bluetooth Low Energy as a central",
        "plug in one of Bluetooth 4.0 or newer, or use --port",
    ),
    BleakBluetoothNotAvailableReason.POWERED_OFF: (
        "Bluetooth is switched off",
        "switch it on (Linux: bluetoothctl power on, rfkill unblock bluetooth)",
    ),
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: (
        "this program may not use Bluetooth",
        "allow it to the terminal in the system's privacy settings",
    ),
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: (
        "the system does not let this user use Bluetooth",
        "Linux: sudo usermod -aG bluetooth $USER, then log in again; in a container, share the host's D-Bus",
    ),
}
_DENIED = {
    BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHENTICATION,
    BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHORIZATION,
    BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION,
}


def advise(error: Exception) -> LinkError:
    """What failed, and what to do next."""
    what, step = _explain(error)
    return LinkError(f"{what}. Next step: {step}")


def _explain(error: Exception) -> tuple[str, str]:
    if isinstance(error, BleakBluetoothNotAvailableError):
        unknown = (f"Bluetooth is not available: {error.args[0]}", "is it on, and does another program see devices?")
        return _NOT_AVAILABLE.get(error.reason, unknown)
    if isinstance(error, BleakDBusError):
        return _explain_dbus(error)
    if isinstance(error, BleakDeviceNotFoundError):
        return f"{error.identifier} went out of reach", "bring it near and try again"
    if isinstance(error, BleakCharacteristicNotFoundError):
        return (
            f"the board has no characteristic {error.char_specifier}",
            "build and flash the firmware of this version of Hardwear; if that is done, Bluetooth remembers the old "
            "one: bluetoothctl remove ADDRESS",
        )
    if isinstance(error, BleakGATTProtocolError) and error.code in _DENIED:
        return (
            "the board wants a bonded link",
            "double tap the board while you stand still, and within a minute: bluetoothctl pair ADDRESS",
        )
    if isinstance(error, TimeoutError):
        return "the board did not answer in time", "bring it near and try again; if it goes on, press its reset button"
    if isinstance(error, FileNotFoundError | ConnectionError):
        return (
            f"can't reach the system's D-Bus, by which Linux offers Bluetooth ({error})",
            "start dbus and bluetooth (systemctl start bluetooth), or use --port",
        )
    return f"Bluetooth failed: {error}", "try again; if it goes on, switch Bluetooth off and on"


def _explain_dbus(error: BleakDBusError) -> tuple[str, str]:
    name = error.dbus_error.rpartition(".")[2]
    if name in ("ServiceUnknown", "NameHasNoOwner"):
        return "the system's Bluetooth service does not run", "apt-get install bluez; systemctl start bluetooth"
    if name in ("AccessDenied", "NotAuthorized", "AuthFailed"):
        return _NOT_AVAILABLE[BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM]
    if name == "NotReady":
        return _NOT_AVAILABLE[BleakBluetoothNotAvailableReason.POWERED_OFF]
    if name == "NoReply":
        return "the system's Bluetooth service does not answer", "systemctl restart bluetooth"
    return f"Bluetooth failed: {error}", "try again; if it goes on, systemctl restart bluetooth"
