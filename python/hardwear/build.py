"""Build the firmware with PlatformIO, and say what it takes of the board's memory."""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import semantic_version
from platformio.dependencies import get_core_dependencies

from hardwear.errors import BuildError
from hardwear.progress import Progress, silent

PROJECT = Path(__file__).resolve().parents[2]
GENERATED = PROJECT / "firmware" / "generated"
BUILD_DIR = PROJECT / ".pio" / "build"
ENVIRONMENTS = ("emulator", "emulator_probe", "emulator_worn", "native", "nano33ble", "nano33ble_compiled")

# The nRF52840's, less the bootloader: what the Nano 33 BLE and the emulated board have.
FLASH_LIMIT_BYTES = 983_040
RAM_LIMIT_BYTES = 262_144

REGISTRY = "https://api.registry.platformio.org/v3/packages/platformio/tool/tool-scons"
REGISTRY_TIMEOUT_S = 3.0

COMPILER = "arm-none-eabi-g++"
INSTALL_COMPILER = (
    "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm"
)

_PROGRAMS = {"native": "hardwear"}  # the others are called firmware.elf
_SHOWN_LINES = 20


@dataclass(frozen=True)
class Firmware:
    """A firmware image.

    Attributes:
        elf: The image.
        flash_bytes: What it takes of flash: code, constants, initial values. None for a program of this computer.
        ram_bytes: What it reserves of RAM: variables and stack; a heap that takes what is left is not counted. None
            for a program of this computer.
    """

    elf: Path
    flash_bytes: int | None
    ram_bytes: int | None

    def to_json(self) -> dict[str, Any]:
        """What `hardwear build --json` prints."""
        return {
            "elf": str(self.elf),
            "flash_bytes": self.flash_bytes,
            "ram_bytes": self.ram_bytes,
            "flash_limit_bytes": FLASH_LIMIT_BYTES,
            "ram_limit_bytes": RAM_LIMIT_BYTES,
        }

    def facts(self) -> dict[str, str]:
        """The same for people."""
        if self.flash_bytes is None or self.ram_bytes is None:
            return {"image": str(self.elf)}
        return {
            "flash": _share(self.flash_bytes, FLASH_LIMIT_BYTES),
            "RAM": _share(self.ram_bytes, RAM_LIMIT_BYTES),
        }


def build(
    env: str = "emulator",
    generated: Path | None = None,
    build_dir: Path | None = None,
    progress: Progress = silent,
) -> Firmware:
    """Build one environment of `platformio.ini`.

    Args:
        env: Its name, one of `ENVIRONMENTS`.
        generated: Folder of the generated headers, called `generated`. Default: firmware/generated.
        build_dir: Where PlatformIO builds. Default: .pio/build.
        progress: Told of every file that is compiled.

    Raises:
        BuildError: A compiler is missing, PlatformIO can't be prepared, or the compiler refuses.
    """
    if env not in ENVIRONMENTS:
        raise BuildError(f"expected one of {', '.join(ENVIRONMENTS)}, got {env!r}")
    headers = (generated or GENERATED).resolve()
    if headers.name != "generated" or not (headers / "contract.h").is_file():
        raise BuildError(
            f"expected a folder called `generated` with contract.h in it, got {headers}. "
            f"Next step: hardwear generate BUNDLE --out {headers.parent / 'generated'}"
        )
    out = (build_dir or BUILD_DIR).resolve()
    environment = platformio_environment()
    environment["PLATFORMIO_INCLUDE_DIR"] = str(headers.parent)  # searched before firmware/
    environment["PLATFORMIO_BUILD_DIR"] = str(out)
    prepare_platformio(env)

    command = [sys.executable, "-m", "platformio", "run", "--environment", env]
    lines: list[str] = []
    sources = _source_count(env)
    done = 0
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None
    with process:
        try:
            for line in process.stdout:
                lines.append(line.rstrip())
                if line.startswith("Compiling "):
                    done = min(done + 1, sources)
                    progress(done, sources, Path(line.split()[-1]).stem)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise BuildError(f"{env} could not be built:\n{_first_error(lines)}\nNext step: mend the first error above")
    progress(sources, sources, "linked")
    return measure(default_elf(env, out))


def default_elf(env: str, build_dir: Path | None = None) -> Path:
    """Where PlatformIO puts the image of an environment."""
    return (build_dir or BUILD_DIR) / env / _PROGRAMS.get(env, "firmware.elf")


def measure(elf: Path) -> Firmware:
    """Say what an image takes of the board's memory, from its section headers.

    Raises:
        BuildError: There is no image, or the file is none.
    """
    try:
        image = elf.read_bytes()
    except OSError as error:
        raise BuildError(f"expected a firmware image at {elf}: {error.strerror}. Next step: hardwear build") from error
    if image[:4] != b"\x7fELF":
        raise BuildError(f"expected an ELF image at {elf}, it starts with {image[:4]!r}. Next step: hardwear build")
    if image[4] != 1:  # not 32 bits wide: a program of this computer
        return Firmware(elf, None, None)
    flash = ram = 0
    for section in _sections(image):
        if not section.allocated or section.name == ".heap":
            continue
        in_ram = section.address >= 0x20000000
        ram += section.size if in_ram else 0
        # The initial values of variables in RAM lie in flash.
        flash += 0 if section.without_content else section.size
    return Firmware(elf, flash, ram)


def platformio_environment() -> dict[str, str]:
    """Variables for a PlatformIO that keeps to itself: no telemetry, no look for updates, no colours."""
    return {
        **os.environ,
        "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
        "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
        "PLATFORMIO_NO_ANSI": "true",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }


def prepare_platformio(env: str) -> None:
    """See to it that PlatformIO can build an environment, without its registry if there is no other way.

    Does nothing where PlatformIO has what it needs or can download it.

    Raises:
        BuildError: Neither is so, or a compiler is missing.
    """
    if not (PROJECT / "platformio.ini").is_file():
        raise BuildError(
            f"expected the firmware's sources in {PROJECT}, found no platformio.ini. "
            "Next step: clone the repository and install it from there with pip install -e ."
        )
    core = Path(os.environ.get("PLATFORMIO_CORE_DIR") or PROJECT / ".pio-core")
    held = [core / "packages" / "tool-scons"]
    if env in ("native", "nano33ble"):
        held.append(core / "platforms" / {"native": "native", "nano33ble": "nordicnrf52"}[env])
    complete = all(_is_current(folder) for folder in held)
    reachable = complete or _registry_answers()
    if not reachable and env == "nano33ble":
        raise BuildError(
            "the Arduino Nano 33 BLE's compiler and libraries come from PlatformIO's registry, which does not answer "
            "from here. Next step: run it once where it does"
        )
    if not complete and not reachable:
        _bootstrap(core)
    if env.startswith("emulator"):
        _check_compiler(may_be_downloaded=not complete and reachable)


def _is_current(package: Path) -> bool:
    """Whether a package is held; tool-scons must be of the version that this PlatformIO wants."""
    if not (package / ".piopm").is_file():
        return False
    if package.name != "tool-scons":
        return True
    version = json.loads((package / ".piopm").read_text())["version"]
    return semantic_version.Version(version) in semantic_version.SimpleSpec(get_core_dependencies()["tool-scons"])


def _registry_answers() -> bool:
    try:
        return requests.head(REGISTRY, timeout=REGISTRY_TIMEOUT_S).ok
    except requests.RequestException:
        return False


def _bootstrap(core: Path) -> None:
    script = PROJECT / "tools" / "pio_bootstrap.py"
    made = subprocess.run([sys.executable, script, core], capture_output=True, text=True)
    if made.returncode != 0:
        raise BuildError(f"PlatformIO could not be prepared without its registry: {made.stderr.strip()}")


def _check_compiler(may_be_downloaded: bool) -> None:
    if shutil.which(COMPILER) is None:
        if may_be_downloaded:
            return
        raise BuildError(f"the emulated board needs {COMPILER}, which is not installed. Next step: {INSTALL_COMPILER}")
    for library in ("libc_nano.a", "libstdc++.a"):
        path = subprocess.run([COMPILER, f"-print-file-name={library}"], capture_output=True, text=True).stdout.strip()
        if not Path(path).is_absolute():  # where it finds none, it repeats the name
            raise BuildError(f"{COMPILER} comes without its {library}. Next step: {INSTALL_COMPILER}")


def _first_error(lines: Sequence[str]) -> str:
    """What the build said from its first error on; its end if none is marked as one."""
    first = next((at for at, line in enumerate(lines) if re.search(r"\b[Ee]rror:", line)), len(lines) - _SHOWN_LINES)
    shown = [line for line in lines[max(first - 2, 0) :] if line and not line.startswith("===")]
    return "\n".join(shown[:_SHOWN_LINES])


def _source_count(env: str) -> int:
    """About how many files a build compiles."""
    text = (PROJECT / "platformio.ini").read_text()
    section = text.split(f"[env:{env}]", 1)[1].split("\n[", 1)[0]
    folders = re.findall(r"\+<([\w/]+)/>", section)
    return max(1, sum(len(list((PROJECT / "firmware" / folder).rglob("*.cpp"))) for folder in folders))


def _share(used: int, limit: int) -> str:
    return f"{used:,} of {limit:,} B ({used / limit:.1%})"


@dataclass(frozen=True)
class _Section:
    name: str
    address: int
    size: int
    allocated: bool
    without_content: bool


def _sections(image: bytes) -> Sequence[_Section]:
    """The section headers of a little-endian ELF32 image (System V ABI, chapter 4)."""
    (table,) = struct.unpack_from("<I", image, 32)
    size, count, names_index = struct.unpack_from("<3H", image, 46)
    headers = [struct.unpack_from("<10I", image, table + index * size) for index in range(count)]
    names_at = headers[names_index][4]
    found = []
    for name_at, kind, flags, address, _, section_size, *_ in headers:
        start = names_at + name_at
        name = image[start : image.index(b"\0", start)].decode()
        found.append(_Section(name, address, section_size, bool(flags & 2), kind == 8))  # SHF_ALLOC, SHT_NOBITS
    return found
