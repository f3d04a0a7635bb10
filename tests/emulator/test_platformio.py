"""PlatformIO prepared without its registry, and unit tests whose failure can't pass for success."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hardwear import build as building
from hardwear.build import PROJECT, build, platformio_environment, prepare_platformio
from hardwear.errors import BuildError

DOCTEST = "#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN\n#include <doctest/doctest.h>\n"
CRC = '#include "core/crc32.h"\nTEST_CASE("links with the core") { CHECK(hardwear::crc32(nullptr, 0) == 0); }\n'


@pytest.fixture
def no_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_registry_answers", lambda: False)


def run_pio(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, PROJECT / "tools" / "pio.py", *arguments],
        env={**platformio_environment(), **variables},
        capture_output=True,
        text=True,
    )


@pytest.mark.usefixtures("no_registry")
def test_an_empty_core_folder_is_enough_to_build_without_the_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path / "core"))
    built = build("emulator_probe", build_dir=tmp_path / "with a space" / "pio")
    assert built.elf.is_file()
    assert (tmp_path / "core" / "packages" / "tool-scons" / "scons.py").is_file()


@pytest.mark.usefixtures("no_registry")
def test_a_core_folder_of_another_platformio_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path))
    prepare_platformio("emulator")
    held = tmp_path / "packages" / "tool-scons" / ".piopm"
    current = held.read_text()
    held.write_text(json.dumps({**json.loads(current), "version": "4.40801.0"}))
    prepare_platformio("emulator")
    assert held.read_text() == current


def test_where_the_registry_answers_nothing_is_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_registry_answers", lambda: True)
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path))
    prepare_platformio("emulator")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_registry")
def test_the_real_board_without_the_registry_says_where_its_tools_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path))
    with pytest.raises(BuildError, match=r"PlatformIO's registry, which does not answer"):
        build("nano33ble")


def test_every_environment_is_one_that_build_knows() -> None:
    listing = subprocess.run(
        [sys.executable, "-m", "platformio", "project", "config", "--json-output"],
        cwd=PROJECT,
        env=platformio_environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    sections = [name for name, _ in json.loads(listing)]
    assert sorted(name.removeprefix("env:") for name in sections if name.startswith("env:")) == sorted(
        building.ENVIRONMENTS
    )


def test_failed_crashed_corrupting_and_empty_unit_tests_fail_and_a_good_one_passes(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    sources = {
        "good": DOCTEST + CRC,
        "wrong": DOCTEST + 'TEST_CASE("wrong") { CHECK(1 == 2); }\n',
        "empty": DOCTEST,
        "corrupting": DOCTEST + 'TEST_CASE("a") { int a[2] = {}; volatile int i = 2; CHECK(a[i] == 0); }\n',
        "quitting": DOCTEST + '#include <cstdlib>\nTEST_CASE("quits") { std::exit(0); }\n',
    }
    for name, source in sources.items():
        (folder / f"test_{name}").mkdir(parents=True)
        (folder / f"test_{name}" / "test_main.cpp").write_text(source)
    shutil.copy(PROJECT / "tests" / "firmware" / "test_custom_runner.py", folder)
    variables = {"PLATFORMIO_TEST_DIR": str(folder), "PLATFORMIO_BUILD_DIR": str(tmp_path / "pio")}
    report = tmp_path / "report.json"
    ran = subprocess.run(
        [sys.executable, "-m", "platformio", "test", "-e", "native", "--json-output-path", report],
        cwd=PROJECT,
        env={**platformio_environment(), **variables},
        capture_output=True,
        text=True,
    )
    suites = json.loads(report.read_text())["test_suites"]
    statuses = {suite["test_name"]: suite["status"] for suite in suites if suite["env_name"] == "native"}
    assert statuses == {
        "test_good": "PASSED",
        "test_wrong": "FAILED",
        "test_empty": "ERRORED",
        "test_corrupting": "ERRORED",
        "test_quitting": "ERRORED",
    }
    assert ran.returncode != 0
    assert "stack-buffer-overflow" in ran.stdout + ran.stderr

    assert run_pio("test", "-e", "native", "-f", "test_good", **variables).returncode == 0
    none_ran = run_pio("test", "-e", "native", "-f", "test_absent", **variables)
    assert none_ran.returncode != 0
    assert "no unit test was run" in none_ran.stderr


def test_pio_without_an_environment_is_refused() -> None:
    refused = run_pio("run")
    assert refused.returncode != 0
    assert "name the environment" in refused.stderr


def test_the_committed_unit_tests_are_found() -> None:
    folders = {path.parent.name for path in (PROJECT / "tests" / "firmware").glob("test_*/test_main.cpp")}
    listed = run_pio("test", "-e", "native", "--list-tests")
    assert listed.returncode == 0
    assert folders
    assert {folder for folder in folders if folder not in listed.stdout} == set()
