#!/usr/bin/env python3
"""Boot a firmware image on the emulated board.

Without an option it asks the firmware who it is and ends: exit code 0 if it is ready to predict. With --serve it keeps
the board running and its serial line on a TCP port, as if it were plugged in:

    python tools/run_emulator.py --serve 4441      then: hardwear replay --port socket://127.0.0.1:4441
"""

import argparse
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "python"))

from hardwear.build import default_elf  # noqa: E402
from hardwear.errors import HardwearError  # noqa: E402
from hardwear.link import Device, Status  # noqa: E402
from hardwear.link.emulator import EmulatorLink, boot_command  # noqa: E402


def greet(elf: Path) -> int:
    """Boot, print what the firmware says of itself, end."""
    with Device(EmulatorLink(elf), log=print) as device:
        hello = device.hello()
    print(f"{hello.board}: engine {hello.engine}, bundle {hello.identity}, {hello.status_text}")
    return 0 if hello.status is Status.READY else 1


def serve(elf: Path, port: int) -> int:
    """Run until interrupted."""
    print(f"The board's serial line is socket://127.0.0.1:{port}; Ctrl-C ends it.", flush=True)
    line = ["-serial", f"tcp:127.0.0.1:{port},server=on,wait=off,nodelay=on"]
    with subprocess.Popen(boot_command(elf, line), stdin=subprocess.DEVNULL) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.terminate()
            return 0


def main() -> int:
    """Read the options and do it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("elf", nargs="?", type=Path, default=default_elf("emulator"), help="default: the last built")
    parser.add_argument("--serve", type=int, metavar="PORT", help="keep it running, its serial line on this TCP port")
    options = parser.parse_args()
    try:
        return serve(options.elf, options.serve) if options.serve else greet(options.elf)
    except HardwearError as error:
        print(error, file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
