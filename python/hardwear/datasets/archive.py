"""Reads a data set's files out of a folder, a zip, or a zip within a zip, without unpacking anything.

Only the names that the data set is known to have are ever read, each up to a limit, into memory. So an archive
can't write outside its folder, and one made to explode is refused at its first file.
"""

import hashlib
import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hardwear.errors import DatasetError

MAX_FILE_BYTES = 32 * 2**20
"""More than twice the largest file of either data set."""
MAX_INNER_ZIP_BYTES = 256 * 2**20
MAX_INNER_ZIPS = 4
MAX_SUBFOLDERS = 256
# What zipfile raises on damaged input: its documented errors, and those of the code it hands the bytes to.
_ZIP_READ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


@dataclass(frozen=True)
class ArchiveSpec:
    """What a published archive is known to hold, and where it is published."""

    name: str
    """`UCI-HAR` or `HAPT`."""
    url: str
    file_name: str
    """How the downloaded archive is called in the cache."""
    download_bytes: int
    """About how much the download is, for a progress bar when the server does not say."""
    file_pattern: str
    """Regular expression, case ignored, of archive names under which people keep it."""
    checksums: Mapping[str, str]
    """SHA-256 of every file that is read, by its name relative to the data set's root."""
    page: str
    """Where a person gets it with a browser."""

    def looks_like_it(self, name: str) -> bool:
        """Whether a file of this name is probably this archive."""
        return re.search(self.file_pattern, name, re.IGNORECASE) is not None


class Container(Protocol):
    """A folder or an archive: something that holds files under slash-separated names."""

    description: str

    def roots(self, spec: ArchiveSpec) -> dict[str, int]:
        """How many of the spec's files lie under each prefix that holds at least one."""

    def holds(self, name: str) -> bool:
        """Whether there is a file of this name."""

    def read(self, name: str) -> bytes:
        """The content of a file; raises `DatasetError` when it is damaged or absurdly large."""


class FolderContainer:
    """A folder, looked at down to two levels."""

    def __init__(self, path: Path):
        self.path = path
        self.description = str(path)

    def roots(self, spec: ArchiveSpec) -> dict[str, int]:
        """See `Container.roots`."""
        found: dict[str, int] = {}
        first_levels = {name.split("/")[0] for name in spec.checksums}
        for folder in self._folders():
            if not any((folder / level).is_dir() for level in first_levels):
                continue  # spares thousands of look-ups where somebody names a large folder
            count = sum((folder / name).is_file() for name in spec.checksums)
            if count:
                prefix = "" if folder == self.path else folder.relative_to(self.path).as_posix() + "/"
                found[prefix] = count
        return found

    def holds(self, name: str) -> bool:
        """See `Container.holds`."""
        return (self.path / name).is_file()

    def read(self, name: str) -> bytes:
        """See `Container.read`."""
        path = self.path / name
        try:
            with path.open("rb") as file:
                return _limited(file.read(MAX_FILE_BYTES + 1), path.as_posix(), MAX_FILE_BYTES)
        except OSError as error:
            raise DatasetError(f"expected to read {path}, got: {error}; check the file and its permissions") from error

    def _folders(self) -> Iterator[Path]:
        yield self.path
        first = _subfolders(self.path)
        yield from first
        for folder in first:
            yield from _subfolders(folder)


class ZipContainer:
    """A zip archive, on disk or in memory."""

    def __init__(self, file: Path | io.BytesIO, description: str):
        self.description = description
        try:
            self.zip = zipfile.ZipFile(file)
        except _ZIP_READ_ERRORS as error:
            raise DatasetError(_not_a_zip(file, description, error)) from error

    def roots(self, spec: ArchiveSpec) -> dict[str, int]:
        """See `Container.roots`."""
        found: dict[str, int] = {}
        depths = {name.count("/") + 1 for name in spec.checksums}
        for name in {n for n in self.zip.namelist() if not _leaves_its_folder(n)}:
            parts = name.split("/")
            for required in ("/".join(parts[-depth:]) for depth in depths if depth <= len(parts)):
                if required in spec.checksums:
                    prefix = name.removesuffix(required)
                    found[prefix] = found.get(prefix, 0) + 1
        return found

    def holds(self, name: str) -> bool:
        """See `Container.holds`."""
        return name in self.zip.NameToInfo

    def read(self, name: str, limit: int = MAX_FILE_BYTES) -> bytes:
        """See `Container.read`."""
        where = f"{self.description}: {name}"
        try:
            with self.zip.open(name) as file:
                return _limited(file.read(limit + 1), where, limit)
        except _ZIP_READ_ERRORS as error:
            raise DatasetError(
                f"expected an intact file, got {_reason(error)} in {where}; "
                "the archive is damaged or incomplete: delete it and get it anew"
            ) from error

    def inner_zips(self) -> Iterator["ZipContainer"]:
        """The archives within this one: UCI serves its archive inside another."""
        names = [n for n in self.zip.namelist() if n.lower().endswith(".zip") and not n.startswith("__MACOSX/")]
        for name in names[:MAX_INNER_ZIPS]:
            content = self.read(name, MAX_INNER_ZIP_BYTES)
            yield ZipContainer(io.BytesIO(content), f"{self.description}: {name}")


@dataclass(frozen=True)
class DatasetFiles:
    """A data set's files, found: read them by the names in its spec."""

    spec: ArchiveSpec
    container: Container
    prefix: str
    archive: Path | None
    """The outermost zip file, None for a folder."""

    @property
    def description(self) -> str:
        """Where the files are, for people to read."""
        return self.container.description + (f"/{self.prefix.rstrip('/')}" if self.prefix else "")

    def read(self, name: str) -> bytes:
        """The content of the file that the spec calls `name`."""
        return self.container.read(self.prefix + name)

    def fingerprint(self) -> str:
        """SHA-256 that changes whenever the content does, quick to take: a zip's bytes are hashed packed."""
        if self.archive is not None:
            with self.archive.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha256()
        for name in sorted(self.spec.checksums):
            digest.update(hashlib.sha256(self.read(name)).digest())
        return digest.hexdigest()


def find_files(spec: ArchiveSpec, source: Path) -> DatasetFiles | None:
    """Look for a data set in `source`: its folder, its zip, a zip with that inside, or a folder with any of those.

    Returns:
        The files, or None when `source` holds not one of them.

    Raises:
        DatasetError: `source` does not exist, or what it holds of the data set is damaged or incomplete.
    """
    if not source.exists():
        raise DatasetError(f"expected {spec.name} in {source}, got no such file or folder; check the path")
    problems: list[str] = []
    try:
        candidates = _candidates(spec, source)
    except OSError as error:
        raise DatasetError(f"expected {spec.name} in {source}, got: {error}; check the path") from error
    for path in candidates:
        try:
            for container in _containers(path):
                for prefix, count in sorted(container.roots(spec).items(), key=lambda item: -item[1]):
                    files = DatasetFiles(spec, container, prefix, path if path.is_file() else None)
                    if count == len(spec.checksums):
                        return files
                    problems.append(_incomplete(files))
        except DatasetError as error:
            if path == source or spec.looks_like_it(path.name):
                problems.append(str(error))
    if problems:
        raise DatasetError(problems[0])
    return None


def _candidates(spec: ArchiveSpec, source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    zips = sorted(p for p in source.iterdir() if p.suffix.lower() == ".zip" and p.is_file())
    likely_first = sorted(zips, key=lambda p: not spec.looks_like_it(p.name))
    # The root's own folder may be what was given: RawData/ of HAPT, train/ of UCI-HAR.
    first_levels = {name.split("/")[0] for name in spec.checksums}
    return [source, *([source.parent] if source.name in first_levels else []), *likely_first]


def _containers(path: Path) -> Iterator[Container]:
    if path.is_dir():
        yield FolderContainer(path)
        return
    outer = ZipContainer(path, str(path))
    yield outer
    yield from outer.inner_zips()


def _subfolders(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if p.is_dir())[:MAX_SUBFOLDERS]
    except OSError:
        return []  # a folder that may not be listed holds nothing for us


def _leaves_its_folder(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ".." in name.split("/")


def _limited(content: bytes, where: str, limit: int) -> bytes:
    if len(content) > limit:
        raise DatasetError(
            f"expected at most {limit:,} bytes, got more in {where}; this is not the published archive: get it anew"
        )
    return content


def _incomplete(files: DatasetFiles) -> str:
    names = list(files.spec.checksums)
    missing = [n for n in names if not files.container.holds(files.prefix + n)]
    return (
        f"expected the {len(names)} files of {files.spec.name} in {files.description}, "
        f"got {len(names) - len(missing)}; "
        f"missing: {', '.join(missing[:3])}{' …' if len(missing) > 3 else ''}; "
        f"the copy is incomplete: get it anew from {files.spec.page}"
    )


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _not_a_zip(file: Path | io.BytesIO, description: str, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"expected to read {description}, got: {error}; check the file and its permissions"
    start = file.getvalue()[:4] if isinstance(file, io.BytesIO) else _first_bytes(file)
    if start == b"PK\x03\x04":
        came = "the beginning of one: it was cut off, as by an interrupted download"
    elif start[:1] == b"<":
        came = "a web page, as a log-in or error page saved in its place"
    elif not start:
        came = "an empty file"
    else:
        came = f"something else ({_reason(error)})"
    return f"expected a zip archive in {description}, got {came}; delete it and get it anew"


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4)
    except OSError:
        return b""
