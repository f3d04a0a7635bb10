"""Reads the plain tables of numbers that both data sets consist of, and checks them against their checksums."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hardwear.datasets.archive import DatasetFiles
from hardwear.errors import DatasetError
from hardwear.progress import Progress, silent


@dataclass
class VerifiedReader:
    """Reads a data set's files as numbers, and remembers what their content hashes to."""

    files: DatasetFiles
    progress: Progress = silent
    digests: dict[str, str] = field(default_factory=dict)

    def table(self, name: str, columns: int, rows: int | None = None) -> npt.NDArray[np.float64]:
        """The (rows, columns) float64 numbers of a file.

        Raises:
            DatasetError: It is not text, not numbers, not of this size, or not finite.
        """
        content = self.files.read(name)
        self.digests[name] = hashlib.sha256(content).hexdigest()
        where = f"{name} of {self.files.description}"
        try:
            values = np.fromstring(content.decode("ascii"), dtype=np.float64, sep=" ")
        except ValueError as error:
            raise DatasetError(
                f"expected rows of {columns} numbers in {where}, got something that is none; get the data set anew "
                f"from {self.files.spec.page}"
            ) from error
        expected_rows = content.count(b"\n") + (not content.endswith(b"\n")) if rows is None else rows
        if values.size != expected_rows * columns:
            raise DatasetError(
                f"expected {expected_rows:,} rows of {columns} numbers in {where}, got {values.size:,} numbers "
                f"({values.size / columns:,.6g} rows); the file is cut off or another version: get the data set anew "
                f"from {self.files.spec.page}"
            )
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0]) // columns + 1
            raise DatasetError(
                f"expected finite numbers in {where}, got NaN or infinity in row {row}; get the data set anew from "
                f"{self.files.spec.page}"
            )
        self.progress(len(self.digests), len(self.files.spec.checksums), f"reading {self.files.spec.name}")
        return values.reshape(expected_rows, columns)

    def integers(self, name: str, columns: int = 1, rows: int | None = None) -> npt.NDArray[np.int64]:
        """The (rows, columns) int64 numbers of a file; raises `DatasetError` also when one is not whole."""
        values = self.table(name, columns, rows)
        if not (values == np.rint(values)).all():
            raise DatasetError(
                f"expected whole numbers in {name} of {self.files.description}, got fractions; get the data set anew "
                f"from {self.files.spec.page}"
            )
        return values.astype(np.int64)

    def require_published_content(self) -> None:
        """Compare every file that was read with the published one.

        Called last, when the structure is known to be right, so that a cut or foreign file is named for what it is.

        Raises:
            DatasetError: A file's SHA-256 is not the published one's; names the file and both.
        """
        expected = self.files.spec.checksums
        for name, digest in self.digests.items():
            if digest != expected[name]:
                raise DatasetError(
                    f"expected {name} of {self.files.description} with SHA-256 {expected[name]}, got {digest}: it has "
                    "the right size and labels, but other content (edited, or line ends converted on unpacking), and "
                    f"no published figure would hold for it; get the data set anew from {self.files.spec.page}"
                )


def content_hash(digests: Mapping[str, str]) -> str:
    """SHA-256 over the sorted `sha256sum` lines of the files: one hash for a data set, whatever held it."""
    lines = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode("ascii")).hexdigest()
