"""SHA-256 of every published file that is read, in `sha256sum`'s format."""

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType


def checksums(name: str) -> Mapping[str, str]:
    """The table `<name>.sha256`: digest by file name."""
    text = resources.files(__name__).joinpath(f"{name}.sha256").read_text(encoding="ascii")
    rows = (line.split("  ", 1) for line in text.splitlines())
    return MappingProxyType({file: digest for digest, file in rows})
