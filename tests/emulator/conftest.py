"""The images that the tests of the emulated board boot, built once, away from the user's own builds."""

from pathlib import Path

import pytest

from hardwear.build import PROJECT, Firmware, build

BUILD_DIR = PROJECT / "build" / "tests" / "pio"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.emulator)


@pytest.fixture(scope="session")
def firmware() -> Firmware:
    """The firmware with the shipped bundle."""
    return build("emulator", build_dir=BUILD_DIR)


@pytest.fixture(scope="session")
def probe() -> Firmware:
    """The firmware that misbehaves when told to: firmware/boards/emulator/probe/main.cpp."""
    return build("emulator_probe", build_dir=BUILD_DIR)
