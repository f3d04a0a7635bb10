"""Every reference vector that both languages are held to. Run it to write `tests/vectors/` anew."""

import hashlib
from pathlib import Path

import confidence_vectors
import frame_vectors
import orientation_vectors
import packet_vectors
import resampler_vectors
import sensor_vectors

FOLDER = Path(__file__).parent / "vectors"


def render() -> dict[str, str]:
    """Every file of the folder by its name, with the hashes of the others in SHA256SUMS."""
    sources = (
        frame_vectors,
        confidence_vectors,
        resampler_vectors,
        orientation_vectors,
        packet_vectors,
        sensor_vectors,
    )
    files = {name: content for source in sources for name, content in source.render().items()}
    sums = "".join(f"{hashlib.sha256(content.encode()).hexdigest()}  {name}\n" for name, content in files.items())
    return {**files, "SHA256SUMS": sums}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, content in render().items():
        (FOLDER / name).write_text(content)


if __name__ == "__main__":
    main()
