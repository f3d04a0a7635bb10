"""`org.bluez` without Bluetooth: as much of BlueZ's D-Bus interface as a central needs, with wearables in reach of it.

bleak's own BlueZ backend talks to it as it does to the real one. It runs on a thread of its own; the test's thread
moves boards and breaks links through `OrgBluez`'s methods.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from ble.peripheral import Peripheral

PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
ADAPTER, DEVICE, SERVICE, CHARACTERISTIC, DESCRIPTOR = (
    f"org.bluez.{name}" for name in ("Adapter1", "Device1", "GattService1", "GattCharacteristic1", "GattDescriptor1")
)
ADAPTER_PATH = "/org/bluez/hci0"
USER_DESCRIPTION = "00002901-0000-1000-8000-00805f9b34fb"
ADVERTISING_INTERVAL_S = 0.05
# Declaration, value and description of each characteristic, as a board numbers its attributes.
_FIRST_HANDLE = 2
_HANDLES_EACH = 3

Interfaces = dict[str, dict[str, Variant]]
_Result = TypeVar("_Result")


class UnsupportedCall(Exception):
    """A method that this BlueZ does not have, which is answered as BlueZ answers it."""


class Board:
    """A wearable in the stand-in's world. Its methods are for the test's thread.

    Args:
        bluez: Where it is in reach.
        address: `AA:BB:CC:DD:EE:FF`.
        name: What it advertises.
    """

    def __init__(self, bluez: "OrgBluez", address: str, name: str = "Hardwear") -> None:
        self._bluez = bluez
        self.address = address
        self.name = name
        self.path = f"{ADAPTER_PATH}/dev_{address.replace(':', '_')}"
        self.connected = False
        self.in_reach = True
        self.bonded = False
        self.connections = 0
        self.peripheral = Peripheral(self._notified)

    def do(self, what: Callable[[Peripheral], None]) -> None:
        """Have something happen to the board, on the stand-in's thread."""
        self._bluez.run(lambda: what(self.peripheral))

    def drop(self, in_reach: bool = True) -> None:
        """Break the link; out of reach, it can't be found either until `drop` says otherwise."""

        def broken() -> None:
            self.in_reach = in_reach
            self._bluez.disconnect(self)

        self._bluez.run(broken)

    def subscribed(self, number: int) -> bool:
        """Whether a central wants a characteristic's notifications."""
        path = self.characteristic_path(number)
        return self._bluez.run(
            lambda: bool(
                self._bluez.objects.get(path, {}).get(CHARACTERISTIC, {}).get("Notifying", Variant("b", False)).value
            )
        )

    def characteristic_path(self, number: int) -> str:
        """Its D-Bus object."""
        return f"{self.path}/service0001/char{_FIRST_HANDLE + _HANDLES_EACH * number:04x}"

    def _notified(self, number: int, value: bytes) -> None:
        self._bluez.change(self.characteristic_path(number), CHARACTERISTIC, Value=Variant("ay", value))


class OrgBluez:
    """The stand-in. A context manager; `powered` and `adapters` are for tests of what users run into.

    Args:
        address: Of the bus to appear on.
        powered: Whether the adapter is switched on.
        adapters: 0 or 1.
    """

    def __init__(self, address: str, powered: bool = True, adapters: int = 1) -> None:
        self._address = address
        self.objects: dict[str, Interfaces] = {"/org/bluez": {"org.bluez.AgentManager1": {}}}
        if adapters:
            self.objects[ADAPTER_PATH] = {
                ADAPTER: {
                    "Address": Variant("s", "00:00:00:00:00:01"),
                    "Name": Variant("s", "stand-in"),
                    "Powered": Variant("b", powered),
                    "Discovering": Variant("b", False),
                    "UUIDs": Variant("as", []),
                    "Roles": Variant("as", ["central"]),
                }
            }
        self.boards: dict[str, Board] = {}
        self._scanners: set[str] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="org.bluez")

    def __enter__(self) -> Self:
        self._thread.start()
        self._wait(asyncio.run_coroutine_threadsafe(self._start(), self._loop))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wait(asyncio.run_coroutine_threadsafe(self._stop(), self._loop))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        for board in self.boards.values():
            board.peripheral.close()

    def add_board(self, address: str, name: str = "Hardwear") -> Board:
        """Bring a board into reach."""
        board = Board(self, address, name)
        self.run(lambda: self.boards.__setitem__(board.path, board))
        return board

    def run(self, what: Callable[[], _Result]) -> _Result:
        """Do something on the stand-in's thread and wait for it."""

        async def do() -> _Result:
            return what()

        return self._wait(asyncio.run_coroutine_threadsafe(do(), self._loop))

    def change(self, path: str, interface: str, **properties: Variant) -> None:
        """Set properties of an object that is there, and tell of it."""
        if path not in self.objects:
            return
        self.objects[path][interface].update(properties)
        self._send(Message.new_signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, properties, []]))

    def disconnect(self, board: Board) -> None:
        """End a link, whoever wants it: BlueZ forgets the board's characteristics."""
        if not board.connected:
            return
        board.connected = False
        board.peripheral.link()
        for path in sorted((p for p in self.objects if p.startswith(board.path + "/")), reverse=True):
            interfaces = self.objects.pop(path)
            self._send(Message.new_signal("/", OBJECT_MANAGER, "InterfacesRemoved", "oas", [path, list(interfaces)]))
        self.change(board.path, DEVICE, ServicesResolved=Variant("b", False), Connected=Variant("b", False))

    async def _start(self) -> None:
        self._bus = await MessageBus(bus_address=self._address, bus_type=BusType.SYSTEM).connect()
        self._bus.add_message_handler(self._handle)
        await self._bus.request_name("org.bluez")
        self._advertising = asyncio.create_task(self._advertise())

    async def _stop(self) -> None:
        self._advertising.cancel()
        self._bus.disconnect()

    @staticmethod
    def _wait(future: "Future[_Result]") -> _Result:
        return future.result(20)

    def _send(self, message: Message) -> None:
        self._bus.send(message)

    def _add(self, path: str, interfaces: Interfaces) -> None:
        self.objects[path] = interfaces
        self._send(Message.new_signal("/", OBJECT_MANAGER, "InterfacesAdded", "oa{sa{sv}}", [path, interfaces]))

    async def _advertise(self) -> None:
        """While somebody scans, tell of every board that is in reach and not connected."""
        strength = 0
        while True:
            await asyncio.sleep(ADVERTISING_INTERVAL_S)
            strength = (strength + 1) % 3
            for board in self.boards.values():
                if not self._scanners or not board.in_reach or board.connected:
                    continue
                if board.path in self.objects:
                    self.change(board.path, DEVICE, RSSI=Variant("n", -50 - strength))
                    continue
                facts = {
                    "Address": Variant("s", board.address),
                    "AddressType": Variant("s", "random"),
                    "Name": Variant("s", board.name),
                    "Alias": Variant("s", board.name),
                    "Paired": Variant("b", board.bonded),
                    "Bonded": Variant("b", board.bonded),
                    "Connected": Variant("b", False),
                    "ServicesResolved": Variant("b", False),
                    "UUIDs": Variant("as", [board.peripheral.service]),
                    "Adapter": Variant("o", ADAPTER_PATH),
                    "RSSI": Variant("n", -50),
                }
                self._add(board.path, {DEVICE: facts})

    def _handle(self, message: Message) -> Message | bool | None:
        """Answer a method call; None leaves it to the bus library."""
        if message.message_type is not MessageType.METHOD_CALL or message.interface == "org.freedesktop.DBus.Peer":
            return None
        if (message.interface, message.member) == (OBJECT_MANAGER, "GetManagedObjects"):
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [self.objects])
        interfaces = self.objects.get(message.path or "")
        if interfaces is None:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownObject", message.path or "")
        if message.interface == PROPERTIES:
            return self._properties(message, interfaces)
        try:
            signature, body = self._call(message, interfaces)
        except UnsupportedCall:
            return Message.new_error(message, "org.bluez.Error.NotSupported", message.member or "")
        except ConnectionError as error:
            return Message.new_error(message, "org.bluez.Error.Failed", str(error))
        return Message.new_method_return(message, signature, body)

    def _properties(self, message: Message, interfaces: Interfaces) -> Message:
        held = interfaces.get(message.body[0], {})
        if message.member == "GetAll":
            return Message.new_method_return(message, "a{sv}", [held])
        if message.member == "Get" and message.body[1] in held:
            return Message.new_method_return(message, "v", [held[message.body[1]]])
        return Message.new_error(message, "org.freedesktop.DBus.Error.InvalidArgs", str(message.body))

    def _call(self, message: Message, interfaces: Interfaces) -> tuple[str, list[Any]]:
        """Do what BlueZ would; returns the reply's signature and body."""
        board = next((b for b in self.boards.values() if (message.path or "").startswith(b.path)), None)
        match message.interface, message.member:
            case "org.bluez.Adapter1", "StartDiscovery":
                self._scanners.add(str(message.sender))
                self.change(ADAPTER_PATH, ADAPTER, Discovering=Variant("b", True))
            case "org.bluez.Adapter1", "StopDiscovery":
                self._scanners.discard(str(message.sender))
                self.change(ADAPTER_PATH, ADAPTER, Discovering=Variant("b", bool(self._scanners)))
            case "org.bluez.Adapter1", "SetDiscoveryFilter":
                pass
            case "org.bluez.Device1", "Connect" if board:
                self._connect(board)
            case "org.bluez.Device1", "Disconnect" if board:
                self.disconnect(board)
            case "org.bluez.GattCharacteristic1", "ReadValue" if board:
                return "ay", [board.peripheral.characteristics[_number(message)].value]
            case "org.bluez.GattCharacteristic1", "WriteValue" if board:
                board.peripheral.write(_number(message), bytes(message.body[0]))
            case "org.bluez.GattCharacteristic1", ("StartNotify" | "StopNotify") as member if board:
                on = member == "StartNotify"
                board.peripheral.subscribe(_number(message), on)
                self.change(message.path or "", CHARACTERISTIC, Notifying=Variant("b", on))
            case "org.bluez.GattDescriptor1", "ReadValue":
                return "ay", [interfaces[DESCRIPTOR]["Value"].value]
            case _:
                raise UnsupportedCall
        return "", []

    def _connect(self, board: Board) -> None:
        if not board.in_reach:
            raise ConnectionError("le-connection-abort-by-local")
        board.connected = True
        board.connections += 1
        board.peripheral.link(board.bonded)
        self.change(board.path, DEVICE, Connected=Variant("b", True))
        service = f"{board.path}/service0001"
        self._add(
            service,
            {
                SERVICE: {
                    "UUID": Variant("s", board.peripheral.service),
                    "Device": Variant("o", board.path),
                    "Primary": Variant("b", True),
                }
            },
        )
        for number, characteristic in enumerate(board.peripheral.characteristics):
            path = board.characteristic_path(number)
            facts = {
                "UUID": Variant("s", characteristic.uuid),
                "Service": Variant("o", service),
                "Flags": Variant("as", characteristic.properties),
                "Notifying": Variant("b", False),
                "MTU": Variant("q", 247),
                "Value": Variant("ay", b""),
            }
            self._add(path, {CHARACTERISTIC: facts})
            description = {
                "UUID": Variant("s", USER_DESCRIPTION),
                "Characteristic": Variant("o", path),
                "Value": Variant("ay", characteristic.description.encode()),
                "Flags": Variant("as", ["read"]),
            }
            handle = _FIRST_HANDLE + _HANDLES_EACH * number + 2
            self._add(f"{path}/desc{handle:04x}", {DESCRIPTOR: description})
        self.change(board.path, DEVICE, ServicesResolved=Variant("b", True))


def _number(message: Message) -> int:
    """Which characteristic an object path names."""
    handle = int((message.path or "").rpartition("/char")[2][:4], 16)
    return (handle - _FIRST_HANDLE) // _HANDLES_EACH
