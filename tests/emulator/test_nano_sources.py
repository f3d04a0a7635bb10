"""Every file of the Nano 33 BLE compiles with the board's flags and without warnings, against stand-ins for libraries.

What that shows and what not: tests/firmware/stand_ins/README.md.
"""

import subprocess
from pathlib import Path

import pytest

from hardwear.build import COMPILER, INSTALL_COMPILER, PROJECT

FIRMWARE = PROJECT / "firmware"
STAND_INS = PROJECT / "tests" / "firmware" / "stand_ins"
# Those of the core's own cxxflags.txt that change what is accepted, and the project's.
FLAGS = (
    *("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=softfp", "-mfpu=fpv4-sp-d16"),
    *("-std=gnu++14", "-Os", "-fno-exceptions", "-fno-rtti", "-funsigned-char"),
    *("-Wall", "-Wextra", "-Wvla", "-Werror"),
)
SOURCES = sorted(
    path.relative_to(FIRMWARE)
    for folder in ("boards/nano33ble", "core", "engines/tflm", "engines/compiled", "sensors")
    for path in (FIRMWARE / folder).glob("*.cpp")
)


def compile_source(source: Path, out: Path, *flags: str) -> None:
    command = [COMPILER, *FLAGS, *flags, f"-I{FIRMWARE}", "-isystem", str(STAND_INS), "-c", str(source), "-o", str(out)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.fail(f"{COMPILER} is not installed. Next step: {INSTALL_COMPILER}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_it_compiles_without_a_warning(source: Path, tmp_path: Path) -> None:
    compile_source(FIRMWARE / source, tmp_path / "object.o")


@pytest.mark.parametrize("flag", ["-DHARDWEAR_ENGINE_COMPILED", "-DHARDWEAR_BONDED_ONLY=1"])
def test_so_does_the_program_with_each_build_flag(flag: str, tmp_path: Path) -> None:
    compile_source(FIRMWARE / "boards" / "nano33ble" / "main.cpp", tmp_path / "object.o", flag)


def test_a_warning_would_be_seen(tmp_path: Path) -> None:
    source = tmp_path / "warns.cpp"
    source.write_text("#include <Arduino.h>\nint main() { int unused; }\n")
    with pytest.raises(AssertionError, match="unused"):
        compile_source(source, tmp_path / "object.o")
