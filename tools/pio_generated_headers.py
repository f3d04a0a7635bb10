"""PlatformIO script: which generated headers the firmware is built with.

`#include "generated/contract.h"` finds the shipped bundle's headers in firmware/generated/, unless
HARDWEAR_GENERATED_ROOT names another folder that holds a folder `generated`.
"""

import os
from pathlib import Path

Import("env")  # noqa: F821  (SCons gives it)

root = Path(os.environ.get("HARDWEAR_GENERATED_ROOT") or env.subst("$PROJECT_SRC_DIR"))  # noqa: F821
header = root / "generated" / "contract.h"
if not header.is_file():
    raise SystemExit(f"{header} is missing. Next step: hardwear generate BUNDLE --out {header.parent}")
env.Prepend(CPPPATH=[str(root.resolve())])  # noqa: F821
