"""Every reference vector that both languages are held to. Run it to write `tests/vectors/` anew."""

import hashlib
from pathlib import Path

import confidence_vectors
import frame_vectors
import resampler_vectors

FOLDER = Path(__file__).parent / "vectors"


def render() -> dict[str, str]:
    """Every file of the folder by its name, with the hashes of the others in SHA256SUMS."""
    files = {**frame_vectors.render(), **confidence_vectors.render(), **resampler_vectors.render()}
    sums = "".join(f"{hashlib.sha256(content.encode()).hexdigest()}  {name}\n" for name, content in files.items())
    return {**files, "SHA256SUMS": sums}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, content in render().items():
        (FOLDER / name).write_text(content)


if __name__ == "__main__":
    main()
