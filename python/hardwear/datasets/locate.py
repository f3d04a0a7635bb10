"""Finds a data set: where the caller says, in HARDWEAR_DATA, in the cache, or at its publisher's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hardwear.datasets.archive import ArchiveSpec, DatasetFiles, find_files
from hardwear.datasets.cache import cache_folder
from hardwear.datasets.download import download
from hardwear.errors import DatasetError
from hardwear.progress import Progress, silent


def locate(spec: ArchiveSpec, source: Path | None = None, progress: Progress = silent) -> DatasetFiles:
    """Find a data set's files, downloading them if they are nowhere.

    A place that was named but holds something damaged is an error, never a reason to look further. Only
    `HARDWEAR_DATA` may hold nothing of this data set: it may be meant for the other one.

    Args:
        spec: The data set.
        source: Where it is; None looks in `HARDWEAR_DATA`, then in the cache, then downloads into the cache.
        progress: Told the bytes of a download.

    Raises:
        DatasetError: `source` does not hold the data set, or what was found is damaged or incomplete.
        DatasetUnavailable: It is nowhere and can't be downloaded.
    """
    if source is not None:
        files = find_files(spec, source.expanduser())
        if files is None:
            raise DatasetError(
                f"expected {spec.name} in {source}, got {_what_is_in(source.expanduser())}; give the archive from "
                f"{spec.page}, or the folder it was unpacked to"
            )
        return files
    named = os.environ.get("HARDWEAR_DATA")
    if named and (files := find_files(spec, Path(named).expanduser())) is not None:
        return files
    archive = downloaded_archive(spec)
    if not archive.is_file():
        download(spec, archive, progress)
    with _deleted_if_bad(archive, spec):
        files = find_files(spec, archive)
        if files is None:
            raise DatasetError(f"expected {spec.name} from {spec.url}, got an archive of something else")
        return files


def downloaded_archive(spec: ArchiveSpec) -> Path:
    """Where in the cache a downloaded archive is kept."""
    return cache_folder() / "downloads" / spec.file_name


@contextmanager
def bad_download_deleted(files: DatasetFiles) -> Iterator[None]:
    """Delete the archive if it was downloaded and turns out to be bad within: or every later run would fail on it."""
    if files.archive is None or files.archive != downloaded_archive(files.spec):
        yield
        return
    with _deleted_if_bad(files.archive, files.spec):
        yield


@contextmanager
def _deleted_if_bad(archive: Path, spec: ArchiveSpec) -> Iterator[None]:
    try:
        yield
    except DatasetError as error:
        archive.unlink(missing_ok=True)
        raise DatasetError(
            f"{error}. This was the download, now deleted: run this again, and if it fails again get the archive with "
            f"a browser from {spec.page} and give its path with --data or in HARDWEAR_DATA"
        ) from error


def _what_is_in(source: Path) -> str:
    if source.is_file():
        return "an archive of something else"
    names = sorted(p.name for p in source.iterdir())
    if not names:
        return "an empty folder"
    return f"a folder with {', '.join(names[:4])}{' …' if len(names) > 4 else ''}"
