"""A wearable over Bluetooth Low Energy, by bleak: found by its service, spoken to by its characteristics.

bleak is asynchronous and everything that uses it here is not. So the event loop turns only while somebody waits for
it; what the board sends meanwhile waits in the operating system.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from hardwear.errors import LinkError
from hardwear.wearable import gatt
from hardwear.wearable.connection import Board, ConnectionLost, Packet
from hardwear.wearable.packets import CalibrationCommand, CalibrationPacket, Config, Info, PredictionPacket

if TYPE_CHECKING:
    from bleak import BleakClient
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData

SCAN_S = 10.0
OTHERS_S = 1.0
"""How long to look for a second board once one is found: most advertise several times a second."""
CONNECT_S = 15.0
SETTLE_S = 0.1
"""A board puts a refused value back after it has taken it."""

_Result = TypeVar("_Result")


class BleRoute:
    """A `Route` over Bluetooth.

    Args:
        address: Of the board (on macOS the system's UUID for it). None: the only board in reach.
        scan_s: How long to look for it.

    Raises:
        LinkError: bleak is not installed.
    """

    def __init__(self, address: str | None = None, scan_s: float = SCAN_S) -> None:
        try:
            import bleak  # noqa: F401 - an optional extra: only this needs it
        except ImportError as error:
            raise LinkError(
                "Bluetooth needs the Python package bleak, which is not installed. "
                "Next step: pip install 'hardwear[ble]', or use --port"
            ) from error
        self._address = address
        self._scan_s = scan_s
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> "BleConnection":
        """Find the board and connect; from then on this route knows no other one.

        Raises:
            LinkError: No adapter, no board, more than one, or it doesn't answer.
        """
        connection = _run(self._runner, self._connect())
        self._address = connection.name
        return connection

    def close(self) -> None:
        """Disconnect and stop."""
        self._runner.close()

    async def _connect(self) -> "BleConnection":
        from bleak import BleakClient

        device = await self._find()
        connection = BleConnection(self._runner, device.address)
        client = BleakClient(device, connection.on_disconnect, services=[gatt.SERVICE_UUID], timeout=CONNECT_S)
        await client.connect()
        if client.services.get_service(gatt.SERVICE_UUID) is None:
            await client.disconnect()
            raise LinkError(f"{device.address} is not a wearable of Hardwear. Next step: flash it, or drop --address")
        connection.client = client
        return connection

    async def _find(self) -> "BLEDevice":
        """The only board, or the one with the address."""
        from bleak import BleakScanner

        found: dict[str, BLEDevice] = {}
        names: dict[str, str] = {}
        news = asyncio.Event()

        def seen(device: "BLEDevice", advertisement: "AdvertisementData") -> None:
            if gatt.SERVICE_UUID in advertisement.service_uuids:
                found[device.address.upper()] = device
                names[device.address.upper()] = advertisement.local_name or device.name or "no name"
                news.set()

        def wanted() -> bool:
            return self._address.upper() in found if self._address else bool(found)

        async with BleakScanner(seen, service_uuids=[gatt.SERVICE_UUID]):
            try:
                async with asyncio.timeout(self._scan_s):
                    while not wanted():
                        await news.wait()
                        news.clear()
            except TimeoutError:
                pass
            if wanted() and not self._address:
                await asyncio.sleep(OTHERS_S)
        listed = ", ".join(f"{address} ({names[address]})" for address in sorted(found))
        if not wanted():
            what = f"no wearable at {self._address}" if self._address else "no wearable"
            raise LinkError(
                f"found {what} in {self._scan_s:g} s{f', only {listed}' if listed else ''}. Next step: is it switched "
                "on, near, and connected to nothing else (a phone)? A board that sleeps answers when it is moved"
            )
        if self._address:
            return found[self._address.upper()]
        if len(found) > 1:
            raise LinkError(f"expected one wearable, found {len(found)}: {listed}. Next step: name one by --address")
        return next(iter(found.values()))


class BleConnection:
    """A `Connection` over Bluetooth; `BleRoute.connect` makes it."""

    client: "BleakClient"

    def __init__(self, runner: asyncio.Runner, address: str) -> None:
        self._runner = runner
        self._address = address
        self._inbox: asyncio.Queue[Packet | LinkError | None] = asyncio.Queue()
        """Packets in order, an error in place of one that can't be read, None for the end of the connection."""
        self._gone = False

    @property
    def name(self) -> str:
        """The board's address."""
        return self._address

    @property
    def way(self) -> str:
        """How it is connected."""
        return "BLE"

    def board(self) -> Board:
        """Read what the board is."""
        info = Info.decode(self._read(gatt.INFO))
        return Board(info.board, info.identity, info.imu_name, info.faults, info.bad_writes, info.locked_writes)

    def read_config(self) -> Config:
        """Read how it is set."""
        return Config.decode(self._read(gatt.CONFIG))

    def write_config(self, config: Config) -> None:
        """Write how it is to be set."""
        self._write(gatt.CONFIG, config.encode())

    def read_calibration(self) -> CalibrationPacket:
        """Read how a calibration goes."""
        return CalibrationPacket.decode(self._read(gatt.CALIBRATION))

    def write_calibration(self, command: CalibrationCommand) -> None:
        """Write a command."""
        self._write(gatt.CALIBRATION, command.encode())

    def unlock(self) -> None:
        """Only the wearer and a cable give leave.

        Raises:
            LinkError: Always.
        """
        raise LinkError(
            "--unlock goes over the cable. Next step: plug the board in, or double tap it while you stand still"
        )

    def subscribe(self) -> None:
        """Have both kinds of packets notified."""
        self._do(self.client.start_notify(gatt.PREDICTION.uuid, self._receive(PredictionPacket.decode)))
        self._do(self.client.start_notify(gatt.CALIBRATION.uuid, self._receive(CalibrationPacket.decode)))

    def notify_every(self) -> int:
        """As the board is set."""
        return self.read_config().notify_every

    def next_packet(self, timeout_s: float) -> Packet | None:
        """Wait for the next packet; None if none came.

        Raises:
            ConnectionLost: The board has disconnected.
            LinkError: It sends packets of another version.
        """

        async def wait() -> Packet | LinkError | None:
            async with asyncio.timeout(timeout_s):
                return await self._inbox.get()

        try:
            packet = self._runner.run(wait())
        except TimeoutError:
            return None
        if packet is None:
            raise self._lost()
        if isinstance(packet, LinkError):
            raise packet
        return packet

    def close(self) -> None:
        """Disconnect."""
        if self._gone:
            return
        self._gone = True
        with contextlib.suppress(LinkError):  # it is gone either way
            _run(self._runner, self.client.disconnect())

    def on_disconnect(self, _: "BleakClient") -> None:
        """Called by bleak when the connection has ended, whoever ended it."""
        self._inbox.put_nowait(None)

    def _receive(self, decode: Callable[[bytes], Packet]) -> Callable[[Any, bytearray], None]:
        def take(_: Any, data: bytearray) -> None:
            try:
                self._inbox.put_nowait(decode(bytes(data)))
            except LinkError as error:
                self._inbox.put_nowait(error)  # for who waits: an exception here would only be logged

        return take

    def _read(self, characteristic: gatt.Characteristic) -> bytes:
        value = bytes(self._do(self.client.read_gatt_char(characteristic.uuid)))
        if not value:
            raise LinkError(
                f"{self._address} tells only bonded centrals. Next step: double tap it while you stand still, and "
                f"within a minute pair: bluetoothctl pair {self._address} (elsewhere: the system's Bluetooth settings)"
            )
        return value

    def _write(self, characteristic: gatt.Characteristic, data: bytes) -> None:
        async def write() -> None:
            await self.client.write_gatt_char(characteristic.uuid, data, response=True)
            await asyncio.sleep(SETTLE_S)

        self._do(write())

    def _do(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        try:
            return _run(self._runner, work)
        except LinkError as error:
            if not self.client.is_connected:
                raise self._lost() from error
            raise

    def _lost(self) -> ConnectionLost:
        return ConnectionLost(f"lost the connection to {self._address}. Next step: bring it near, or recharge it")


def _run(runner: asyncio.Runner, work: Coroutine[Any, Any, _Result]) -> _Result:
    """Turn the loop until the work is done.

    Raises:
        LinkError: It failed.
    """
    from bleak.exc import BleakError

    from hardwear.wearable.ble_advice import advise

    try:
        return runner.run(work)
    except (BleakError, OSError, TimeoutError) as error:
        raise advise(error) from error
