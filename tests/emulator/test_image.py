"""The product's image: within its budget, without a heap, and what `pio run` builds is what boots and predicts."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hardwear import build as building
from hardwear.build import GENERATED, PROJECT, Firmware, build, measure, platformio_environment
from hardwear.errors import BuildError
from hardwear.link import Status, open_emulator


def test_the_image_stays_within_its_budget(firmware: Firmware) -> None:
    assert firmware.flash_bytes is not None
    assert firmware.ram_bytes is not None
    assert 20_000 < firmware.flash_bytes <= 256 * 1024
    assert 8_192 < firmware.ram_bytes <= 64 * 1024


def test_sizes_are_those_that_the_compilers_own_tool_gives(firmware: Firmware) -> None:
    listing = subprocess.run(
        ["arm-none-eabi-size", "-A", "-d", firmware.elf], capture_output=True, text=True, check=True
    ).stdout
    sizes = {line.split()[0]: int(line.split()[1]) for line in listing.splitlines() if line.startswith(".")}
    assert firmware.flash_bytes == sizes[".text"] + sizes[".data"]
    assert firmware.ram_bytes == sizes[".stack"] + sizes[".data"] + sizes[".bss"]


def test_the_image_can_not_allocate(firmware: Firmware) -> None:
    names = subprocess.run(["arm-none-eabi-nm", firmware.elf], capture_output=True, text=True, check=True).stdout
    symbols = {line.split()[-1] for line in names.splitlines()}
    assert "main" in symbols
    assert not symbols & {"malloc", "_malloc_r", "_sbrk", "_Znwj", "_Znaj", "__cxa_throw"}


def test_the_firmware_boots_and_is_ready_to_predict(firmware: Firmware) -> None:
    with open_emulator(firmware.elf) as device:
        hello = device.hello()
        assert (hello.board, hello.engine, hello.status) == ("emulator", "compiled", Status.READY)
        assert hello.time_unit == "instructions"
        stats = device.stats()
    assert 0 < stats["stack_high_water"] < 8192 - 1024, "the reserved stack needs a margin"


def test_other_generated_headers_make_another_firmware_and_leave_the_shipped_ones_alone(tmp_path: Path) -> None:
    generated = tmp_path / "generated"
    shutil.copytree(GENERATED, generated)
    first = re.search(r"kIdentity\[8\] = \{(0x\w\w)", (generated / "contract.h").read_text())
    assert first
    for header in generated.glob("*.h"):  # each asserts that it belongs to the same bundle
        text = header.read_text().replace(f"kIdentity[8] = {{{first[1]}", "kIdentity[8] = {0xab")
        header.write_text(text.replace(f"kIdentity[0] == {first[1]}", "kIdentity[0] == 0xab"))
    other = build("emulator", generated=generated, build_dir=tmp_path / "pio")
    with open_emulator(other.elf) as device:
        assert device.hello().identity.startswith("ab")


def test_a_folder_without_headers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"contract\.h.*hardwear generate"):
        build("emulator", generated=tmp_path / "generated")


def test_an_unknown_environment_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BuildError, match=r"emulator.*nano33ble.*'nano'"):
        build("nano")


def test_a_missing_compiler_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = shutil.which
    monkeypatch.setattr(building.shutil, "which", lambda name: None if name == "arm-none-eabi-g++" else found(name))
    with pytest.raises(BuildError, match=r"arm-none-eabi-g\+\+, which is not installed.*apt-get install gcc-arm"):
        build("emulator")


def test_a_compiler_error_reaches_the_user(tmp_path: Path) -> None:
    generated = tmp_path / "generated"
    shutil.copytree(GENERATED, generated)
    (generated / "contract.h").write_text("#error these headers are broken\n")
    with pytest.raises(BuildError, match="these headers are broken"):
        build("emulator", generated=generated, build_dir=tmp_path / "pio")


@pytest.mark.parametrize("content", [b"", b"MZ something else"])
def test_what_is_no_image_is_not_measured(tmp_path: Path, content: bytes) -> None:
    image = tmp_path / "firmware.elf"
    image.write_bytes(content)
    with pytest.raises(BuildError, match="expected an ELF image"):
        measure(image)
    with pytest.raises(BuildError, match="expected a firmware image"):
        measure(tmp_path / "absent.elf")


def test_upload_boots_the_board_and_asks_it_who_it_is(firmware: Firmware) -> None:
    environment = {**platformio_environment(), "PLATFORMIO_BUILD_DIR": str(firmware.elf.parents[1])}
    ran = subprocess.run(
        [sys.executable, "-m", "platformio", "run", "-e", "emulator", "-t", "upload"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "emulator: engine compiled" in ran.stdout
