"""What every test may ask for: the real data where they are, and the rule that with them nothing is skipped."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from hardwear.datasets import Dataset, Recording, load_hapt, load_uci_har

# A test says what is computed, not how fast: a busy machine must not fail it.
settings.register_profile("hardwear", deadline=None)
settings.load_profile("hardwear")

DATA = os.environ.get("HARDWEAR_DATA")
REASON = "HARDWEAR_DATA is not set: tests on UCI-HAR and HAPT need a folder with uci_har.zip and hapt.zip"


class _ByFixtures(LoadScopeScheduling):  # type: ignore[misc]
    """Of parallel workers one has all tests of a file, which share fixtures, and one all that build firmware."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return "firmware" if "emulator" in Path(file).parts else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _ByFixtures(config, log)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
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
