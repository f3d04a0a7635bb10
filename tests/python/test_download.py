import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from dataset_archives import UCI_HAR_PREFIX, digests, uci_har_expectation, uci_har_files, zipped

from hardwear.datasets import download as download_module
from hardwear.datasets import load_uci_har
from hardwear.datasets.download import download
from hardwear.datasets.tables import content_hash
from hardwear.errors import DatasetError, DatasetUnavailable

FILES = uci_har_files()
ARCHIVE = zipped({"UCI HAR Dataset.zip": zipped(FILES, UCI_HAR_PREFIX)})


@dataclass
class Publisher:
    """A web server on this machine, and how it behaves."""

    content: bytes = ARCHIVE
    etag: str | None = '"one"'
    ranges: bool = True
    tells_length: bool = True
    status: int = 200
    cuts: list[int] = field(default_factory=list)
    """After how many bytes of the body each of the next answers breaks off."""
    asked: list[str | None] = field(default_factory=list)
    """The Range header of each request."""
    url: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        self.asked.append(wanted)
        if self.status != 200:
            handler.send_error(self.status)
            return
        start = 0
        condition = handler.headers.get("If-Range")
        if wanted and self.ranges and condition in (None, self.etag):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(self.content):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(self.content)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        if self.etag:
            handler.send_header("ETag", self.etag)
        if self.tells_length:
            handler.send_header("Content-Length", str(len(self.content) - start))
        handler.end_headers()
        body = self.content[start:]
        handler.wfile.write(body[: self.cuts.pop(0)] if self.cuts else body)


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    monkeypatch.setenv("HARDWEAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HARDWEAR_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download_module, "RETRY_DELAY_S", 0.0)
    monkeypatch.setattr(download_module, "CHUNK_BYTES", 500)
    behaviour = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            behaviour.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        behaviour.url = f"http://127.0.0.1:{server.server_address[1]}/static/public/240/uci_har.zip"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield behaviour
        server.shutdown()
        thread.join()


def load(publisher: Publisher, **options: object) -> str:
    return load_uci_har(expectation=uci_har_expectation(FILES, publisher.url), **options).sha256  # type: ignore[arg-type]


def kept(tmp_path: Path) -> dict[str, int]:
    return {p.name: p.stat().st_size for p in (tmp_path / "cache" / "downloads").glob("*")}


def test_what_is_nowhere_here_is_downloaded_once(publisher: Publisher, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int, detail: str = "") -> None:
        if detail.startswith("downloading"):
            told.append((done, total))

    assert load(publisher, progress=progress) == content_hash(digests(FILES))
    assert told[-1] == (len(ARCHIVE), len(ARCHIVE))
    assert kept(tmp_path) == {"uci_har.zip": len(ARCHIVE)}
    assert load(publisher) == content_hash(digests(FILES))
    assert publisher.asked == [None]


def test_broken_connection_goes_on_where_it_was(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cuts = [1000, 2000]
    assert load(publisher) == content_hash(digests(FILES))
    assert publisher.asked == [None, "bytes=1000-", "bytes=3000-"]
    assert kept(tmp_path) == {"uci_har.zip": len(ARCHIVE)}


def test_next_run_goes_on_where_the_last_was_stopped(publisher: Publisher, tmp_path: Path) -> None:
    publisher.cuts = [1000] * download_module.ATTEMPTS
    with pytest.raises(DatasetError, match=r"uci_har\.zip\.part: run this again") as caught:
        load(publisher)
    assert not isinstance(caught.value, DatasetUnavailable)
    have = 1000 * download_module.ATTEMPTS
    assert kept(tmp_path)["uci_har.zip.part"] == have
    assert load(publisher) == content_hash(digests(FILES))
    assert publisher.asked[-1] == f"bytes={have}-"


def test_stopped_program_keeps_what_came(publisher: Publisher, tmp_path: Path) -> None:
    def stop(done: int, total: int, detail: str = "") -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(publisher, progress=stop)
    assert kept(tmp_path)["uci_har.zip.part"] > 0


def test_file_that_changed_meanwhile_is_fetched_whole(publisher: Publisher) -> None:
    publisher.content, publisher.cuts = bytes(len(ARCHIVE)), [1000]

    real_sleep = time.sleep

    def publish_anew(seconds: float) -> None:
        publisher.content, publisher.etag = ARCHIVE, '"two"'
        real_sleep(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(download_module.time, "sleep", publish_anew)
        assert load(publisher) == content_hash(digests(FILES))


def test_server_without_ranges_sends_it_all_again(publisher: Publisher) -> None:
    publisher.ranges, publisher.cuts = False, [1000]
    assert load(publisher) == content_hash(digests(FILES))


def test_server_without_validators_is_resumed_too(publisher: Publisher) -> None:
    publisher.etag, publisher.cuts = None, [1000]
    assert load(publisher) == content_hash(digests(FILES))
    assert publisher.asked == [None, "bytes=1000-"]


def test_server_that_does_not_tell_the_length_still_gives_a_total(publisher: Publisher) -> None:
    publisher.tells_length = False
    told: list[tuple[int, int]] = []
    load(publisher, progress=lambda done, total, detail="": told.append((done, total)))
    assert all(0 < done <= total for done, total in told)


def test_part_that_was_complete_is_taken(publisher: Publisher, tmp_path: Path) -> None:
    part = tmp_path / "cache" / "downloads" / "uci_har.zip.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(ARCHIVE)
    assert load(publisher) == content_hash(digests(FILES))


def test_part_longer_than_the_file_is_thrown_away(publisher: Publisher, tmp_path: Path) -> None:
    part = tmp_path / "cache" / "downloads" / "uci_har.zip.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(ARCHIVE + b"more")
    assert load(publisher) == content_hash(digests(FILES))


@pytest.mark.parametrize("status", [404, 503])
def test_refusal_says_what_to_do_instead(status: int, publisher: Publisher) -> None:
    publisher.status = status
    with pytest.raises(DatasetUnavailable, match=f"HTTP {status}.*--data or in HARDWEAR_DATA"):
        load(publisher)


def test_no_server_fails_at_once_and_says_what_to_do(publisher: Publisher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    publisher.url = f"http://127.0.0.1:{port}/none.zip"
    before = time.monotonic()
    with pytest.raises(DatasetUnavailable, match=r"refused.*with a browser from https://archive\.ics\.uci\.edu"):
        load(publisher)
    assert time.monotonic() - before < 5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>log in first</html>", "a web page"),
        (zipped({"other.txt": b"1"}), "something else"),
        (ARCHIVE[:-100], "cut off"),
        (zipped({**FILES, "test/y_test.txt": b"1\n"}), "7 rows"),
        (zipped({**FILES, "test/Inertial Signals/body_acc_x_test.txt": b" 1" * 7 * 128}), "SHA-256"),
    ],
    ids=["web page", "foreign", "cut", "wrong size", "wrong content"],
)
def test_bad_download_is_told_and_deleted_so_that_the_next_run_fetches_anew(
    content: bytes, said: str, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.content = content
    with pytest.raises(DatasetError, match="now deleted: run this again") as caught:
        load(publisher)
    assert said in str(caught.value)
    assert kept(tmp_path) == {}
    publisher.content = ARCHIVE
    assert load(publisher) == content_hash(digests(FILES))


def test_own_archive_is_never_deleted(tmp_path: Path) -> None:
    mine = tmp_path / "uci_har.zip"
    mine.write_bytes(b"<html>")
    with pytest.raises(DatasetError):
        load_uci_har(mine, expectation=uci_har_expectation(FILES))
    assert mine.exists()


def test_folder_that_can_not_be_written_is_named(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    spec = replace(uci_har_expectation(FILES, publisher.url).archive)
    with pytest.raises(DatasetError, match="writable folder with 59 MiB free") as caught:
        download(spec, tmp_path / "file" / "uci_har.zip")
    assert not isinstance(caught.value, DatasetUnavailable)
