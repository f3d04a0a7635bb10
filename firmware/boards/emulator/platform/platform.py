"""PlatformIO development platform: bare-metal Cortex-M4 on QEMU's mps2-an386."""

import shutil

from platformio.platform.base import PlatformBase


class Qemu_mps2Platform(PlatformBase):  # noqa: N801  (PlatformIO derives the name from platform.json)
    """The system's compiler builds; only where there is none, PlatformIO's own package is asked for."""

    def configure_default_packages(self, options, targets):  # noqa: D102
        if not shutil.which("arm-none-eabi-g++"):
            self.packages["toolchain-gccarmnoneeabi"]["optional"] = False
        return super().configure_default_packages(options, targets)
