"""docs/performance.md: what stands there is what its results file says."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
from compiled_engine import REPOSITORY

from hardwear.marked_section import markers


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = REPOSITORY / "tools" / "performance_page.py"
    spec = importlib.util.spec_from_file_location("performance_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_shows_its_results(tool: ModuleType) -> None:
    document = json.loads(tool.RESULTS.read_text())
    page = tool.PAGE.read_text()
    for name, text in tool.sections(document).items():
        begin, end = markers(name)
        assert f"{begin}{text}\n{end}" in page, f"run `python tools/performance_page.py`: {name} differs"
    assert tool.PICTURE.is_file()


def test_our_own_rows_are_of_the_networks_that_are_shipped(tool: ModuleType) -> None:
    import hashlib

    document = json.loads(tool.RESULTS.read_text())
    for name in ("compact", "nano"):
        digest = hashlib.sha256((Path(REPOSITORY) / "models" / name / "model.tflite").read_bytes()).hexdigest()
        assert document["models"][name] == digest
    own = [row for row in document["results"] if row["key"] in tool.OWN]
    assert len(own) == len(tool.OWN) * len(tool.MODELS)
    assert all(row["equal_windows"] == row["of_windows"] for row in own)
