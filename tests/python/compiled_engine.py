"""Builds the compiled engine of a model as a host program, and runs windows through it."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hardwear.codegen import compiled_model, read_graph
from hardwear.codegen.kernels import Preference
from hardwear.contract import HOP_SAMPLES, WINDOW_SAMPLES

REPOSITORY = Path(__file__).parents[2]
FIRMWARE = REPOSITORY / "firmware"
STRICT = ("-std=gnu++14", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
SOURCES = (Path(__file__).with_name("engine_shim.cpp"), FIRMWARE / "engines/compiled/compiled_classifier.cpp")
IDENTITY = "00" * 32


@dataclass(frozen=True)
class Program:
    """The engine of one model; `run` and `layers` start it anew."""

    path: Path
    embedding_size: int

    def run(self, windows: npt.NDArray[np.int8]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
        """Logits (N, 6) and embeddings (N, E) of (N, 128, 6) windows, each by itself."""
        return self._answers(self._output("", windows.tobytes()))

    def run_streams(self, streams: Sequence[npt.NDArray[np.int8]]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
        """Likewise for the windows of streams (N, 6), one stream after the other."""
        return self._answers(self._output("stream", _marked(streams)))

    def layers(self, windows: npt.NDArray[np.int8]) -> list[npt.NDArray[np.int8]]:
        """What each step makes of a window, in rows; of several, one after the other."""
        return _steps(self._output("layers", windows.tobytes()))

    def stream_layers(self, streams: Sequence[npt.NDArray[np.int8]]) -> list[npt.NDArray[np.int8]]:
        """Likewise for every window of streams (N, 6), one after the other."""
        return _steps(self._output("stream-layers", _marked(streams)))

    def _output(self, mode: str, data: bytes) -> bytes:
        return subprocess.run([self.path, mode], input=data, capture_output=True, check=True).stdout

    def _answers(self, output: bytes) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
        answers = np.frombuffer(output, np.int8).reshape(-1, 6 + self.embedding_size)
        return answers[:, :6], answers[:, 6:]


def _steps(output: bytes) -> list[npt.NDArray[np.int8]]:
    found: list[npt.NDArray[np.int8]] = []
    start, last = 0, -1
    while start < len(output):
        number, size = np.frombuffer(output, "<u4", 2, start).tolist()
        assert number in (0, last + 1)
        found.append(np.frombuffer(output, np.int8, size, start + 8))
        start, last = start + 8 + size, number
    return found


def windows_of(stream: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """The windows (M, 128, 6) of a stream (N, 6)."""
    starts = range(0, len(stream) - WINDOW_SAMPLES + 1, HOP_SAMPLES)
    return np.stack([stream[start : start + WINDOW_SAMPLES] for start in starts])


def _marked(streams: Sequence[npt.NDArray[np.int8]]) -> bytes:
    """Windows, each after a byte that says whether it follows the one before."""
    return b"".join(
        bytes([number > 0]) + window.tobytes() for stream in streams for number, window in enumerate(windows_of(stream))
    )


def write_headers(model: bytes, folder: Path, prefer: Preference = Preference.SPEED) -> int:
    """Generates what the engine of a bare model needs under `folder`/generated; returns the embedding's size."""
    graph = read_graph(model)
    generated = folder / "generated"
    generated.mkdir(parents=True, exist_ok=True)
    (generated / "compiled_model.h").write_text(
        compiled_model.render(compiled_model.compile_graph(graph, prefer), "// Test.", IDENTITY)
    )
    (generated / "contract.h").write_text(
        f"""#pragma once
#include <cstdint>
namespace hardwear {{
constexpr uint8_t kIdentity[8] = {{0, 0, 0, 0, 0, 0, 0, 0}};
constexpr uint16_t kWindowSamples = 128;
constexpr uint8_t kChannelCount = 6;
constexpr uint8_t kClassCount = 6;
constexpr uint16_t kEmbeddingSize = {graph.embedding.size};
}}  // namespace hardwear
"""
    )
    return graph.embedding.size


def compile_headers(folder: Path, program: Path, *flags: str) -> None:
    """Compiles the shim against the headers under `folder`/generated."""
    command = ["g++", *STRICT, *(flags or SANITIZERS), f"-I{folder}", f"-I{FIRMWARE}", *map(str, SOURCES)]
    done = subprocess.run([*command, "-o", str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def build(model: bytes, folder: Path, prefer: Preference = Preference.SPEED) -> Program:
    """The sanitised program of a bare model."""
    embedding_size = write_headers(model, folder, prefer)
    compile_headers(folder, folder / "engine")
    return Program(folder / "engine", embedding_size)
