"""`hardwear compare`: every activation of both sides, and the first difference by layer, channel and position."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_cli import hardwear
from test_codegen_generator import make_bundle

from hardwear.bundle import Bundle
from hardwear.codegen import compiled_model, generate, read_graph
from hardwear.codegen.compiled_model import Program, compile_graph
from hardwear.codegen.graph import Conv1D, Graph
from hardwear.codegen.kernels import Preference
from hardwear.errors import ReplayMismatch
from hardwear.profiling.compare import compare
from hardwear.profiling.windows import probing_windows

pytestmark = pytest.mark.emulator


def faulty(graph: Graph, name: str, *, channel: int, tap: int | None) -> Graph:
    """The graph with one convolution's bias of one channel a little larger, or one of its weights changed."""

    def changed(layer: Conv1D) -> Conv1D:
        weights, bias = layer.weights.copy(), layer.bias.copy()
        if tap is None:
            bias[channel] += 4000
        else:
            weights[channel, tap, 0] += 40 if weights[channel, tap, 0] < 0 else -40
        return replace(layer, weights=weights, bias=bias)

    layers = [changed(x) if isinstance(x, Conv1D) and x.name == name else x for x in graph.layers]
    return replace(graph, layers=tuple(layers))


def write_model(bundle: Bundle, program: Program, folder: Path) -> None:
    """The bundle's headers, but the network's from `program`."""
    generate(bundle, folder)
    banner = "\n".join((folder / "compiled_model.h").read_text().splitlines()[:2])
    (folder / "compiled_model.h").write_text(compiled_model.render(program, banner, bundle.identity))


@pytest.mark.parametrize("prefer", Preference, ids=lambda prefer: prefer.value)
@pytest.mark.parametrize("tap", [None, 1], ids=["bias", "weight"])
def test_a_fault_is_found_where_it_was_put(prefer: Preference, tap: int | None, tmp_path: Path) -> None:
    bundle = make_bundle("compact")
    graph = read_graph(bundle.tflite)
    convolutions = [layer for layer in graph.layers if isinstance(layer, Conv1D)]
    name = convolutions[1].name
    write_model(bundle, compile_graph(faulty(graph, name, channel=5, tap=tap), prefer), tmp_path / "generated")
    program, windows = compile_graph(graph, prefer), probing_windows(bundle, 5)
    result = compare(bundle, program, windows, tmp_path / "generated", tmp_path / "dump", prefer)
    assert result.first is not None
    assert (result.first.layer, result.first.channel) == (name, 5)
    # What the files hold says the same.
    (stem,) = [entry["files"] for entry in json.loads((tmp_path / "dump" / "layers.json").read_text())
               if entry["step"] == name]  # fmt: skip
    ours, theirs = (np.load(tmp_path / "dump" / f"{stem}.{side}.npy") for side in ("compiled", "tflite-micro"))
    window, position, channel = np.argwhere(ours != theirs)[0]
    assert (window, position, channel) == (result.first.window, result.first.position, 5)
    assert (ours[window, position, channel], theirs[window, position, channel]) == (
        result.first.got,
        result.first.expected,
    )
    with pytest.raises(ReplayMismatch, match=rf"{name} .*channel 5, position {position}"):
        result.require_equal()


def test_equal_layers_are_said_to_be_equal_and_written_for_both_sides(tmp_path: Path) -> None:
    done = hardwear("compare", "models/nano", "--windows", 3, "--dump-layers", tmp_path / "dump", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["first"] is None
    assert (document["windows"], document["unequal"]) == (3, 0)
    files = json.loads((tmp_path / "dump" / "layers.json").read_text())
    assert all(entry["equal"] for entry in files)
    assert len(list((tmp_path / "dump").glob("*.npy"))) == 2 * document["layers"] == 2 * len(files)


def test_the_verb_names_the_fault_and_ends_with_one(tmp_path: Path) -> None:
    bundle = Bundle.load(Path("models/nano"))
    graph = read_graph(bundle.tflite)
    name = next(layer.name for layer in graph.layers if isinstance(layer, Conv1D))
    write_model(bundle, compile_graph(faulty(graph, name, channel=2, tap=None)), tmp_path / "generated")
    done = hardwear("compare", "models/nano", "--generated", tmp_path / "generated")
    assert done.returncode == 1
    said = done.stderr.replace("\n", " ")
    assert name in said
    assert "channel 2, position " in said
