"""Keeps downloads and parsed arrays in the user's cache folder, so that a second start is quick."""

import contextlib
import hashlib
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import platformdirs

Arrays = Mapping[str, npt.NDArray[Any]]
Parsed = TypeVar("Parsed")

_log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """`HARDWEAR_CACHE`, or the folder that the system has for a user's caches."""
    chosen = os.environ.get("HARDWEAR_CACHE")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("hardwear")


def cache_key(*parts: object) -> str:
    """32 hexadecimal digits that differ whenever a part's `repr` does."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def parsed_once(
    key: str,
    parse: Callable[[], Parsed],
    to_arrays: Callable[[Parsed], Arrays],
    from_arrays: Callable[[Arrays], Parsed],
) -> Parsed:
    """What `parse` gives, from the cache if it is there and whole.

    The entry is an uncompressed `.npz`: each array in it carries a CRC-32, and `from_arrays` checks shapes; an entry
    that fails either is thrown away and made anew. Without a writable cache it works too, only slower.

    Args:
        key: Names the content and everything that changes what parsing makes of it.
        parse: Reads and verifies the data.
        to_arrays: What to keep of it.
        from_arrays: The inverse of `to_arrays`.
    """
    path = cache_folder() / "parsed" / f"{key}.npz"
    if path.is_file():
        try:
            with np.load(path, allow_pickle=False) as entry:
                return from_arrays({name: entry[name] for name in entry.files})
        except Exception as error:  # damage can make NumPy and zipfile raise almost anything
            _log.warning("the cached %s is damaged (%s); reading the data set again", path, error)
    parsed = parse()
    try:
        _save(path, to_arrays(parsed))
    except OSError as error:
        _log.warning("can't keep parsed data in %s (%s); set HARDWEAR_CACHE to a writable folder", path, error)
    return parsed


def _save(path: Path, arrays: Arrays) -> None:
    """Write whole or not at all, whatever another process does at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            # NumPy types the array keywords together with its own options, which these names never are.
            np.savez(file, **arrays)  # type: ignore[arg-type]
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
