#!/usr/bin/env python3
"""PlatformIO, prepared first where its registry does not answer: `python tools/pio.py test -e native`.

Takes what `pio` takes. `test` fails also if no test was run, which pio itself takes for success.
"""

import json
import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from hardwear.build import PROJECT, platformio_environment, prepare_platformio
from hardwear.errors import BuildError


def main() -> int:
    """Prepare, run, look at the result."""
    arguments = sys.argv[1:]
    named = [value for option, value in pairwise(arguments) if option in ("-e", "--environment")]
    if not named:
        sys.exit("name the environment by -e: without it pio builds them all, the real board's too")
    try:
        for env in named:
            prepare_platformio(env)
    except BuildError as error:
        sys.exit(str(error))
    command = [sys.executable, "-m", "platformio", *arguments]
    if arguments[0] != "test" or "--list-tests" in arguments:
        return subprocess.run(command, cwd=PROJECT, env=platformio_environment()).returncode
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command += ["--json-output-path", os.fspath(report)]
        code = subprocess.run(command, cwd=PROJECT, env=platformio_environment()).returncode
        ran = json.loads(report.read_text())["testcase_nums"] if report.is_file() else 0
        if code == 0 and ran == 0:
            print("no unit test was run", file=sys.stderr)
            return 1
        return code


if __name__ == "__main__":
    sys.exit(main())
