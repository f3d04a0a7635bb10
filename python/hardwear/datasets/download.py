"""Fetches a published archive into the cache, going on where an earlier try was cut off."""

import contextlib
import time
from pathlib import Path

import requests

from hardwear.datasets.archive import ArchiveSpec
from hardwear.errors import DatasetError, DatasetUnavailable
from hardwear.progress import Progress, silent

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
ATTEMPTS = 4
RETRY_DELAY_S = 1.0
CHUNK_BYTES = 2**14
"""Small, because a broken connection loses the chunk under way."""


class _Interrupted(Exception):
    """The connection broke after some bytes had come."""


def download(spec: ArchiveSpec, target: Path, progress: Progress = silent) -> None:
    """Download the spec's archive to the file `target`.

    Bytes collect in `<target>.part`. When the connection breaks, or the program is stopped, the next request asks
    for the rest (HTTP Range). A server that tells versions apart (If-Range) sends all of a file that has changed since;
    for others the content's checksums have the last word.

    Raises:
        DatasetUnavailable: The server can't be reached, or does not have it.
        DatasetError: The connection keeps breaking, or `target` can't be written.
    """
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                _receive_rest(spec, part, progress)
                part.replace(target)
                _validator_path(part).unlink(missing_ok=True)
                return
            except _Interrupted as error:
                if attempt == ATTEMPTS:
                    raise DatasetError(
                        f"expected to download {spec.name} from {spec.url}, got a part and then, {ATTEMPTS} times: "
                        f"{error}; what came is kept in {part}: run this again to go on from there"
                    ) from error
                time.sleep(RETRY_DELAY_S * attempt)
    except requests.RequestException as error:
        raise DatasetUnavailable(
            f"expected to download {spec.name} from {spec.url}, got: {_first_cause(error)}; {_next_step(spec)}"
        ) from error
    except OSError as error:
        raise DatasetError(
            f"expected to write {target}, got: {error}; set HARDWEAR_CACHE to a writable folder with "
            f"{spec.download_bytes // 2**20 + 1} MiB free"
        ) from error
    raise AssertionError("unreachable: the last attempt returns or raises")


def _receive_rest(spec: ArchiveSpec, part: Path, progress: Progress) -> None:
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if validator := _read_validator(part):
            headers["If-Range"] = validator
    with requests.get(spec.url, headers=headers, stream=True, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            if response.headers.get("Content-Range", "") == f"bytes */{have}":
                return  # all of it had come before
            part.unlink(missing_ok=True)
            raise _Interrupted("the server has no such range")
        if response.status_code not in (requests.codes.ok, requests.codes.partial_content):
            raise DatasetUnavailable(
                f"expected to download {spec.name} from {spec.url}, got HTTP {response.status_code} "
                f"{response.reason}; {_next_step(spec)}"
            )
        resumed = response.status_code == requests.codes.partial_content
        if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            part.unlink(missing_ok=True)
            raise _Interrupted("the server sent another range than asked for")
        done = have if resumed else 0
        length = response.headers.get("Content-Length", "")
        end = done + int(length) if length.isdigit() else None
        with part.open("ab" if resumed else "wb") as file:
            if not resumed:
                _write_validator(part, response)
            try:
                for chunk in response.iter_content(CHUNK_BYTES):
                    file.write(chunk)
                    done += len(chunk)
                    progress(done, end or max(done, spec.download_bytes), f"downloading {spec.name}")
            except requests.RequestException as error:
                raise _Interrupted(_first_cause(error)) from error
        if end is not None and done < end:
            raise _Interrupted(f"the connection closed {end - done:,} bytes early")


def _validator_path(part: Path) -> Path:
    return part.with_name(part.name + ".validator")


def _read_validator(part: Path) -> str | None:
    with contextlib.suppress(OSError):
        return _validator_path(part).read_text(encoding="ascii").strip() or None
    return None


def _write_validator(part: Path, response: requests.Response) -> None:
    """Keep what tells this version of the file from another; a weak ETag may not be used for ranges (RFC 9110)."""
    etag = response.headers.get("ETag", "")
    validator = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")
    _validator_path(part).write_text(validator.encode("ascii", "ignore").decode("ascii"), encoding="ascii")


def _first_cause(error: BaseException) -> str:
    cause = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    return str(cause) or type(cause).__name__


def _next_step(spec: ArchiveSpec) -> str:
    return (
        f"check the network, or get the archive with a browser from {spec.page} and give its path with --data or "
        "in HARDWEAR_DATA"
    )
