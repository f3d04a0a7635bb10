"""A worn board on a cable: the same process behind a TCP port, which pyserial opens as a serial line."""

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ble.peripheral import Peripheral


class Cable:
    """A context manager. Serves one host after the other; its methods are for the test's thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._host: socket.socket | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._peripheral = Peripheral(cable=self._to_host)
        self._thread = threading.Thread(target=self._serve, name="cable")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.pull()
        self._thread.join(10)
        self._peripheral.close()

    def do(self, what: Callable[[Peripheral], None]) -> None:
        """Have something happen to the board."""
        with self._lock:
            what(self._peripheral)

    def pull(self) -> None:
        """Pull the cable out; it is in again when the next host opens the port."""
        with self._lock:
            if self._host is not None:
                self._host.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            try:
                host, _ = self._listener.accept()
            except OSError:
                return  # closed
            with host:
                with self._lock:
                    self._host = host
                while data := self._receive(host):
                    self.do(lambda peripheral, data=data: peripheral.host_says(data))  # type: ignore[misc]
                with self._lock:
                    self._host = None

    @staticmethod
    def _receive(host: socket.socket) -> bytes:
        try:
            return host.recv(4096)
        except OSError:
            return b""

    def _to_host(self, data: bytes) -> None:
        if self._host is not None:
            with contextlib.suppress(OSError):  # pulled out
                self._host.sendall(data)
