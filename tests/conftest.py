"""What every test may ask for: the real data where they are, and the rule that with them nothing is skipped."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import settings

from hardwear.datasets import Dataset, Recording, load_hapt, load_uci_har

# A test says what is computed, not how fast: a busy machine must not fail it.
settings.register_profile("hardwear", deadline=None)
settings.load_profile("hardwear")

DATA = os.environ.get("HARDWEAR_DATA")
REASON = "HARDWEAR_DATA is not set: tests on UCI-HAR and HAPT need a folder with uci_har.zip and hapt.zip"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for groups
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    for item in items:
        # Of parallel workers one has all tests of a file, which share fixtures, and one all that build firmware.
        board = "emulator" in item.path.parts
        item.add_marker(pytest.mark.xdist_group("firmware" if board else item.path.stem))
    if DATA:
        return
    for item in items:
        if item.get_closest_marker("data"):
            item.add_marker(pytest.mark.skip(reason=REASON))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """With the data there, a skipped test on them is a failure: it would hide that they were not used."""
    report = yield
    if DATA and report.skipped and item.get_closest_marker("data") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped although HARDWEAR_DATA={DATA}: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def uci_har() -> Dataset:
    assert DATA, REASON
    return load_uci_har(Path(DATA))


@pytest.fixture(scope="session")
def hapt() -> tuple[Recording, ...]:
    assert DATA, REASON
    return load_hapt(Path(DATA))
