"""What the tests of Bluetooth share: a bus of their own, and boards in reach of it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ble.bus import private_bus
from ble.cable import Cable
from ble.org_bluez import Board, OrgBluez

ADDRESS = "C0:11:22:33:44:55"


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A message bus; bleak takes it for the system's."""
    with tempfile.TemporaryDirectory() as folder, private_bus(Path(folder)) as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield address


@pytest.fixture
def bluez(bus: str) -> Iterator[OrgBluez]:
    with OrgBluez(bus) as stand_in:
        yield stand_in


@pytest.fixture
def board(bluez: OrgBluez) -> Board:
    return bluez.add_board(ADDRESS)


@pytest.fixture
def cable() -> Iterator[Cable]:
    with Cable() as plugged:
        yield plugged
