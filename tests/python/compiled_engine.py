"""Builds the compiled engine of a model as a host program, and runs windows through it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hardwear.codegen import compiled_model, read_graph
from hardwear.codegen.kernels import Preference

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
        """Logits (N, 6) and embeddings (N, E) of (N, 128, 6) windows."""
        done = subprocess.run([self.path], input=windows.tobytes(), capture_output=True, check=True)
        answers = np.frombuffer(done.stdout, np.int8).reshape(len(windows), 6 + self.embedding_size)
        return answers[:, :6], answers[:, 6:]

    def layers(self, window: npt.NDArray[np.int8]) -> list[npt.NDArray[np.int8]]:
        """What each step makes of one window, in rows."""
        output = subprocess.run([self.path, "layers"], input=window.tobytes(), capture_output=True, check=True).stdout
        found = []
        while output:
            number, size = np.frombuffer(output[:8], "<u4").tolist()
            assert number == len(found)
            found.append(np.frombuffer(output[8 : 8 + size], np.int8))
            output = output[8 + size :]
        return found


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
