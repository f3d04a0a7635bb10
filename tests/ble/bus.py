"""A private system D-Bus, without root and apart from the real one: on it a Bluetooth stand-in and its clients meet."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = "dbus-daemon"

_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:dir={folder}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@contextmanager
def private_bus(folder: Path) -> Iterator[str]:
    """Run a message bus; gives the address for `DBUS_SYSTEM_BUS_ADDRESS`."""
    assert shutil.which(PROGRAM), f"these tests need {PROGRAM}. Next step: apt-get install dbus"
    config = folder / "bus.conf"
    config.write_text(_CONFIG.format(folder=folder))
    command = [PROGRAM, f"--config-file={config}", "--nofork", "--nopidfile", "--print-address"]
    said = folder / "bus.log"  # without root it complains of limits that it may not raise
    with said.open("wb") as log:
        daemon = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert daemon.stdout is not None
        address = daemon.stdout.readline().strip()
        assert address, f"{PROGRAM} ended with code {daemon.wait()}: {said.read_text()}"
        yield address
    finally:
        daemon.terminate()
        daemon.wait(10)
        assert daemon.stdout is not None
        daemon.stdout.close()
