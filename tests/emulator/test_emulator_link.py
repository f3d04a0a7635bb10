"""The link to QEMU: it starts what it should, says what is missing, and leaves nothing behind."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hardwear.build import PROJECT, Firmware
from hardwear.errors import LinkError
from hardwear.link import open_emulator
from hardwear.link.emulator import EmulatorLink, ExitCode


def _runs(process_id: int) -> bool:
    stat = Path(f"/proc/{process_id}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def _ends(process_id: int, timeout_s: float = 10.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while _runs(process_id) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not _runs(process_id)


def test_without_qemu_the_error_names_the_package(probe: Firmware, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(LinkError, match=r"qemu-system-arm, which is not installed.*apt-get install qemu-system-arm"):
        EmulatorLink(probe.elf)


def test_without_an_image_the_error_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match=r"expected a firmware image at .*missing\.elf.*hardwear build"):
        EmulatorLink(tmp_path / "missing.elf")


def test_what_qemu_says_of_an_image_that_is_none_is_passed_on(tmp_path: Path) -> None:
    image = tmp_path / "text.elf"
    image.write_bytes(b"\x7fELF no image at all")
    with EmulatorLink(image) as link, pytest.raises(LinkError, match=r"exit code -6\): qemu: fatal: Lockup"):
        link.read(1, 10.0)


def test_a_fault_of_the_firmware_is_named_when_the_link_breaks(probe: Firmware) -> None:
    with EmulatorLink(probe.elf) as link:
        link.write(b"r" + (0x20040000).to_bytes(4, "little"))
        link.wait()
        assert link.read(4096, 1.0).startswith(b"probe\n")
        with pytest.raises(LinkError, match=r"the firmware stopped: fault \(exit code 94\)"):
            link.read(4096, 1.0)
        with pytest.raises(LinkError):
            link.write(b"anything")


def test_reading_what_does_not_come_returns_nothing_in_time(probe: Firmware) -> None:
    with EmulatorLink(probe.elf) as link:
        while link.read(100, 2.0)[-1:] != b"\n":
            pass
        begun = time.monotonic()
        assert link.read(1, 0.2) == b""
        assert 0.15 < time.monotonic() - begun < 1.5


def test_closing_ends_qemu_and_may_be_repeated(probe: Firmware) -> None:
    link = EmulatorLink(probe.elf)
    link.close()
    link.close()
    assert _ends(link.process_id)
    with pytest.raises(LinkError, match="was closed"):
        link.read(1, 0.1)
    with pytest.raises(LinkError, match="was closed"):
        link.write(b"x")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a process with its parent")
def test_qemu_does_not_outlive_a_killed_driver(probe: Firmware) -> None:
    program = (
        "import sys, time; from pathlib import Path; from hardwear.link.emulator import EmulatorLink\n"
        "link = EmulatorLink(Path(sys.argv[1])); link.read(1, 10); print(link.process_id, flush=True); time.sleep(60)"
    )
    driver = subprocess.Popen([sys.executable, "-c", program, str(probe.elf)], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    with driver:
        qemu = int(driver.stdout.readline())
        assert _runs(qemu)
        driver.send_signal(signal.SIGKILL)
    assert _ends(qemu)


def test_many_emulators_run_side_by_side(firmware: Firmware) -> None:
    devices = [open_emulator(firmware.elf) for _ in range(4)]
    try:
        assert {device.hello().board for device in devices} == {"emulator"}
    finally:
        for device in devices:
            device.close()


def test_exit_codes_are_those_of_the_firmware() -> None:
    header = (PROJECT / "firmware" / "boards" / "emulator" / "semihosting.h").read_text()
    listed = {
        re.sub(r"(?<!^)([A-Z])", r"_\1", name).upper(): int(value)
        for name, value in re.findall(r"k(\w+) = (\d+)", header)
    }
    assert listed == {code.name: code.value for code in ExitCode}
