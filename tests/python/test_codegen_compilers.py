"""The generated engine of the shipped bundles, without a warning: every compiler at hand, every kind of chip."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from compiled_engine import FIRMWARE, STRICT
from test_codegen_on_chip import SHIPPED, load

from hardwear.codegen import generate
from hardwear.codegen.kernels import Preference

ENGINE = FIRMWARE / "engines/compiled/compiled_classifier.cpp"
EMBEDDED = ("-mthumb", "-fno-exceptions", "-fno-rtti")
WITH_DSP = ("cortex-m4", "cortex-m7", "cortex-m33")
PORTABLE = ("cortex-m0plus", "cortex-m3")
LEVELS = ("-O2", "-O3", "-Os")


@pytest.fixture(scope="module", params=[(name, prefer) for name in SHIPPED for prefer in Preference],
                ids=lambda case: f"{case[0]}-{case[1].value}")  # fmt: skip
def headers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    name, prefer = request.param
    folder = tmp_path_factory.mktemp(name)
    generate(load(name), folder / "generated", prefer)
    return folder


def compile_engine(headers: Path, compiler: str, *flags: str) -> None:
    command = [compiler, *STRICT, *flags, f"-I{headers}", f"-I{FIRMWARE}", "-c", str(ENGINE), "-o", "/dev/null"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), flags


@pytest.mark.parametrize("cpu", [*WITH_DSP, *PORTABLE])
def test_gcc_for_every_chip(headers: Path, cpu: str) -> None:
    for level in LEVELS if cpu == "cortex-m4" else LEVELS[:1]:
        compile_engine(headers, "arm-none-eabi-g++", *EMBEDDED, f"-mcpu={cpu}", level)


def test_gcc_for_this_computer(headers: Path) -> None:
    for level in ("-O0", *LEVELS):
        compile_engine(headers, "g++", level)


@pytest.mark.skipif(shutil.which("clang++") is None, reason="clang is not installed: apt-get install clang")
def test_clang_for_this_computer_and_for_the_chips(headers: Path) -> None:
    for level in LEVELS:
        compile_engine(headers, "clang++", level)
    for cpu in (*WITH_DSP, *PORTABLE):
        compile_engine(headers, "clang++", "--target=arm-none-eabi", f"-mcpu={cpu}", *EMBEDDED, *c_library())


def test_a_big_endian_machine_is_refused(headers: Path) -> None:
    command = ["arm-none-eabi-g++", *EMBEDDED, "-mcpu=cortex-m3", "-mbig-endian", f"-I{headers}", f"-I{FIRMWARE}"]
    done = subprocess.run([*command, "-fsyntax-only", str(ENGINE)], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "little-endian" in done.stderr


def c_library() -> list[str]:
    """Where clang finds the chip's headers: in GCC's folders."""
    said = subprocess.run(
        ["arm-none-eabi-g++", "-mcpu=cortex-m4", "-mthumb", "-E", "-Wp,-v", "-xc++", "/dev/null"],
        capture_output=True, text=True, check=True,
    ).stderr  # fmt: skip
    lines = said.partition("#include <...> search starts here:")[2].partition("End of search")[0].split()
    return [f"-isystem{path}" for path in map(os.path.realpath, lines) if "/gcc/" not in path]
