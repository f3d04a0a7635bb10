#!/usr/bin/env python3
"""Fill a PlatformIO core directory without PlatformIO's registry.

PlatformIO Core downloads three things before it builds this project: SCons (as its package `tool-scons`), the platform
`native`, and nothing else, since the emulated board's platform lies in the repository and the compilers are the
system's. pip has installed SCons already; this script puts a launcher for it and a platform `native` where PlatformIO
would have put the downloaded ones. A machine that reaches the registry does not need it.

    python tools/pio_bootstrap.py [CORE_DIR]      default: PLATFORMIO_CORE_DIR, else .pio-core of this project

Run it with the Python that runs pio.
"""

import json
import os
import sys
import time
from pathlib import Path

import SCons
import semantic_version
from platformio import __version__ as platformio_version
from platformio.dependencies import get_core_dependencies

SCONS_LAUNCHER = "from SCons.Script import main\n\nmain()\n"
NATIVE_BUILDER = '''"""How PlatformIO builds a program for this very machine (run by SCons)."""

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()
env.Replace(AR="ar", AS="as", CC="gcc", CXX="g++", OBJCOPY="objcopy", RANLIB="ranlib", SIZETOOL=None, GDB="gdb")
program = env.BuildProgram()
run = env.VerboseAction("$SOURCE $PROGRAM_ARGS", "Executing $SOURCE")
AlwaysBuild(env.Alias("exec", program, run), env.Alias("upload", program, run))
Default([program])
'''
NATIVE_VERSION = "1.2.1"


def put_package(root: Path, kind: str, name: str, version: str, manifest: dict, files: dict[str, str]) -> None:
    """Write one package the way PlatformIO lays out a downloaded one."""
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    manifest_file = "platform.json" if kind == "platform" else "package.json"
    (root / manifest_file).write_text(json.dumps({"name": name, "version": version, **manifest}))
    spec = {"owner": "platformio", "id": None, "name": name, "requirements": None, "uri": None}
    (root / ".piopm").write_text(json.dumps({"type": kind, "name": name, "version": version, "spec": spec}))


def scons_package_version() -> str:
    """Version that PlatformIO gives the SCons that pip installed: 4.11.1 is tool-scons 4.41101.0.

    Raises:
        SystemExit: This PlatformIO wants another SCons.
    """
    wanted = get_core_dependencies()["tool-scons"]
    major, minor, patch = ([int(part) for part in SCons.__version__.split(".")] + [0, 0])[:3]
    version = f"4.{major}{minor:02d}{patch:02d}.0"
    if semantic_version.Version(version) not in semantic_version.SimpleSpec(wanted):
        sys.exit(
            f"PlatformIO {platformio_version} wants tool-scons {wanted}, but pip has installed SCons "
            f"{SCons.__version__}, which is {version}. Next step: install the two versions that pyproject.toml pins."
        )
    return version


def quiet_settings(core: Path) -> None:
    """Keep PlatformIO from looking for its servers at every run: without them it waits for time-outs."""
    state = core / "appstate.json"
    held = json.loads(state.read_text()) if state.exists() else {}
    held.setdefault("created_at", int(time.time()))
    held["last_version"] = platformio_version
    held["settings"] = {
        **held.get("settings", {}),
        "enable_telemetry": False,
        "check_platformio_interval": 36500,
        "check_prune_system_threshold": 0,
    }
    state.write_text(json.dumps(held))


def main() -> None:
    """Write the packages."""
    default = os.environ.get("PLATFORMIO_CORE_DIR") or Path(__file__).resolve().parents[1] / ".pio-core"
    core = Path(sys.argv[1] if len(sys.argv) > 1 else default).resolve()
    version = scons_package_version()
    put_package(core / "packages/tool-scons", "tool", "tool-scons", version, {}, {"scons.py": SCONS_LAUNCHER})
    put_package(
        core / "platforms/native",
        "platform",
        "native",
        NATIVE_VERSION,
        {"title": "Native", "description": "This machine's own compiler", "packages": {}},
        {"builder/main.py": NATIVE_BUILDER},
    )
    quiet_settings(core)
    print(f"PlatformIO {platformio_version} with SCons {SCons.__version__} is ready in {core}")


if __name__ == "__main__":
    main()
