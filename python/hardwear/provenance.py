"""Where a measured figure comes from: the part of every results file that lets someone measure it again."""

import platform
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from hardwear import __version__

_PACKAGES = ("numpy", "scikit-learn", "scipy", "tensorflow-cpu", "tflite-micro", "torch")


def provenance(command: str, data: dict[str, str], seeds: Sequence[int] = ()) -> dict[str, Any]:
    """As plain values for the head of a results file.

    Args:
        command: What to type to get the figures again.
        data: SHA-256 of the content of each data set, by its name.
        seeds: Of the trainings behind the figures; empty if there are none.

    Returns:
        command, data, seeds, the commit of the clone that the package lies in (`+changes` with uncommitted ones;
        None outside a clone), and the versions that the figures depend on.
    """
    return {
        "command": command,
        "commit": _commit(),
        "data": dict(data),
        "seeds": list(seeds),
        "versions": {
            "hardwear": __version__,
            "python": platform.python_version(),
            **{name: _version(name) for name in _PACKAGES},
        },
    }


def _commit() -> str | None:
    here = Path(__file__).parent
    commit = _git("rev-parse", "HEAD", folder=here)
    if commit is None:
        return None
    return f"{commit}+changes" if _git("status", "--porcelain", "--", str(here), folder=here) else commit


def _git(*arguments: str, folder: Path) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
