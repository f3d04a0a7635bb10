"""Small archives in the published layouts, and what to expect of them."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from hardwear.datasets.hapt import HAPT, HaptExpectation
from hardwear.datasets.uci_har import SIGNALS, UCI_HAR, UciHarExpectation

Files = dict[str, bytes]

UCI_HAR_PREFIX = "UCI HAR Dataset/"
LABEL_COUNTS = {"train": (3, 2, 2, 1, 2, 2), "test": (1, 1, 2, 1, 1, 1)}
SUBJECTS = {"train": (1, 4), "test": (2,)}
EXPERIMENTS = ((1, 1), (2, 1), (3, 2))


def uci_har_files(seed: int = 0) -> Files:
    """The 22 files of a UCI-HAR with 19 windows of three people."""
    rng = np.random.default_rng(seed)
    files: Files = {}
    for part, counts in LABEL_COUNTS.items():
        rows = sum(counts)
        labels = np.repeat(np.arange(1, 7), counts)
        files[f"{part}/y_{part}.txt"] = _lines(labels)
        files[f"{part}/subject_{part}.txt"] = _lines(np.resize(SUBJECTS[part], rows))
        for signal in SIGNALS:
            files[f"{part}/Inertial Signals/{signal}_{part}.txt"] = rows_of_text(rng.normal(size=(rows, 128)))
    return files


def uci_har_expectation(files: Mapping[str, bytes], url: str = "http://127.0.0.1:9/none.zip") -> UciHarExpectation:
    """An expectation that `files` meet."""
    archive = replace(UCI_HAR.archive, checksums=digests(files), url=url)
    return UciHarExpectation(archive, LABEL_COUNTS, SUBJECTS)


def hapt_files(seed: int = 0) -> Files:
    """The files of a HAPT with three recordings of two people."""
    rng = np.random.default_rng(seed)
    files: Files = {}
    labels = []
    for experiment, user in EXPERIMENTS:
        for sensor in ("acc", "gyro"):
            samples = rng.normal(size=(300 + experiment, 3))
            files[f"RawData/{sensor}_exp{experiment:02d}_user{user:02d}.txt"] = rows_of_text(samples)
        labels += [f"{experiment} {user} 5 11 140", f"{experiment} {user} 7 141 {300 + experiment}"]
    files["RawData/labels.txt"] = ("\n".join(labels) + "\n").encode()
    return files


def hapt_expectation(files: Mapping[str, bytes], url: str = "http://127.0.0.1:9/none.zip") -> HaptExpectation:
    """An expectation that `files` meet."""
    return HaptExpectation(replace(HAPT.archive, checksums=digests(files), url=url), segments=2 * len(EXPERIMENTS))


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def rows_of_text(values: np.ndarray) -> bytes:
    """As UCI-HAR writes them: eight digits and an exponent of three."""
    return b"".join(("".join(f"{v: .7e}".rjust(16) for v in row) + "\n").encode() for row in values)


def zipped(files: Mapping[str, bytes], prefix: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            # A fixed date, so that the same files give the same bytes whenever they are packed.
            info = zipfile.ZipInfo(prefix + name, date_time=(2012, 11, 29, 0, 0, 0))
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def write_zip(folder: Path, files: Mapping[str, bytes], name: str = "uci_har.zip") -> Path:
    path = folder / name
    path.write_bytes(zipped(files, UCI_HAR_PREFIX))
    return path


def write_outer_zip(folder: Path, files: Mapping[str, bytes]) -> Path:
    """As UCI serves it: the archive inside another, beside a note."""
    path = folder / "human+activity+recognition+using+smartphones.zip"
    inner = zipped({**files, "README.txt": b"as is"}, UCI_HAR_PREFIX)
    path.write_bytes(zipped({"UCI HAR Dataset.zip": inner, "UCI HAR Dataset.names": b"see inside"}))
    return path


def write_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    root = folder / UCI_HAR_PREFIX
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


CONTAINERS: dict[str, Callable[[Path, Mapping[str, bytes]], Path]] = {
    "zip": write_zip,
    "outer zip": write_outer_zip,
    "folder": write_folder,
    "folder with a zip": lambda folder, files: write_zip(folder, files, "downloaded.zip").parent,
    "folder with an outer zip": lambda folder, files: write_outer_zip(folder, files).parent,
    "folder with a folder": lambda folder, files: write_folder(folder, files).parent,
    "folder of the folder with a folder": lambda folder, files: write_folder(folder / "mine", files).parent.parent,
    "one part's folder": lambda folder, files: write_folder(folder, files) / "train",
}


def _lines(values: np.ndarray) -> bytes:
    return "".join(f"{v}\n" for v in values).encode()
