"""A window that follows another is computed from its new half alone, and to the last bit as if it stood by itself."""

from itertools import pairwise
from pathlib import Path

import compiled_engine
import numpy as np
import numpy.typing as npt
import pytest
from compiled_engine import Program, windows_of
from engine_models import NETWORKS
from hypothesis import given
from hypothesis import strategies as st
from tflite_builder import ModelBuilder

from hardwear.bundle import Bundle
from hardwear.codegen import read_graph
from hardwear.codegen.compiled_model import compile_graph
from hardwear.codegen.convolutions import PlanesConv
from hardwear.codegen.cost import program_cost
from hardwear.codegen.explain import explain, prediction
from hardwear.codegen.kernels import Preference
from hardwear.codegen.streaming import Columns, plan_stream, shared_columns
from hardwear.contract import HOP_SAMPLES, WINDOW_SAMPLES
from hardwear.quantization.tflm import TflmModel

STREAMED = {
    "compact", "paper_like", "paper_gap", "global_mean", "capped", "broken_blocks", "shipped_compact", "shipped_nano",
}  # fmt: skip
"""Networks of which something can be taken over."""


def load(name: str) -> bytes:
    """A network of the tests, or a shipped one."""
    if name in NETWORKS:
        return NETWORKS[name]()
    return Bundle.load(compiled_engine.REPOSITORY / "models" / name.removeprefix("shipped_")).tflite


def streams(windows: int) -> list[npt.NDArray[np.int8]]:
    """Recordings (N, 6) of so many windows in all: noise, extremes, smooth motion, and one of a single window."""
    random = np.random.default_rng(11)

    def samples(count: int) -> int:
        return WINDOW_SAMPLES + HOP_SAMPLES * (count - 1)

    third = (windows - 1) // 3
    noise = random.integers(-128, 128, (samples(third), 6)).astype(np.int8)
    # Held for whole halves, for single samples and for anything between; a window of one value only is among them.
    held = np.repeat(np.array([-128, 127, -128, 0], np.int8), samples(third) // 4 + 1)[: samples(third)]
    extremes = np.where(random.random((samples(third), 6)) < 0.02, 127, held[:, np.newaxis]).astype(np.int8)
    alone = np.full((WINDOW_SAMPLES, 6), 127, np.int8)
    motion = np.cumsum(random.normal(0, 9, (samples(windows - 1 - 2 * third), 6)), axis=0)
    return [noise, extremes, alone, (np.abs(motion + 128) % 510 - 255).clip(-128, 127).astype(np.int8)]


@st.composite
def chains(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, int]]]:
    """A hop, and some (taps, padding before, pool) that so many samples can go through."""
    hop, layers = draw(st.sampled_from([8, 16, 32, 64, 96])), []
    positions = 128
    left = hop
    for _ in range(draw(st.integers(1, 5))):
        taps = draw(st.integers(1, 5))
        padded = draw(st.booleans()) or positions < 16
        pool = draw(st.sampled_from([pool for pool in (1, 2, 4) if left % pool == 0]))
        positions -= 0 if padded else taps - 1
        if positions % pool:
            pool = 1
        layers.append((taps, (taps - 1) // 2 if padded else -1, pool))
        positions, left = positions // pool, left // pool
    return hop, layers


@given(chains())
def test_shared_columns_are_those_made_of_the_same_samples(chain: tuple[int, list[tuple[int, int, int]]]) -> None:
    hop, layers = chain
    # Every column is named by what it is made of, in the last window and in the one that follows.
    last, following = ([str(sample) for sample in range(start, start + 128)] for start in (0, hop))
    columns = Columns(0, 128 - hop, hop)
    for taps, pad_left, pool in layers:
        columns = shared_columns(columns, taps, max(pad_left, 0), pool)
        last, following = (_made(names, taps, pad_left, pool) for names in (last, following))
        same = [p for p in range(len(following) - columns.hop) if following[p] == last[p + columns.hop]]
        assert same == list(range(columns.start, columns.stop))


def _made(names: list[str], taps: int, pad_left: int, pool: int) -> list[str]:
    """Names of what a convolution (without padding for -1) and a pool make of columns."""
    padded = names if pad_left < 0 else ["-"] * pad_left + names + ["-"] * (taps - 1 - pad_left)
    made = [str(hash(tuple(padded[p : p + taps]))) for p in range(len(padded) - taps + 1)]
    return [str(hash(tuple(made[p : p + pool]))) for p in range(0, len(made) - pool + 1, pool)]


@pytest.mark.parametrize("prefer", Preference)
@pytest.mark.parametrize("name", sorted({*NETWORKS, *STREAMED}))
def test_what_is_kept_is_computed_by_the_window_that_keeps_it(name: str, prefer: Preference) -> None:
    program = compile_graph(read_graph(load(name)), prefer)
    assert bool(program.stream.kept) == (name in STREAMED)
    for step, kept in program.stream.kept.items():
        assert isinstance(step, PlanesConv)
        columns, positions = kept.columns, step.target.tensor.positions
        assert 0 <= columns.start < columns.stop <= columns.hop
        assert columns.stop + columns.hop <= positions
        # Two runs of blocks and the columns between them are all columns.
        block = positions / step.blocks if positions % step.blocks == 0 else 4 / step.fused.pool
        assert (kept.left * block, kept.right * block) == (columns.start, columns.stop)
    pieces = sorted((kept.offset, kept.offset + kept.size) for kept in program.stream.kept.values())
    assert all(before[1] == after[0] for before, after in pairwise(pieces))
    assert program.stream.history_bytes == (pieces[-1][1] if pieces else 0)


@pytest.mark.parametrize("name", sorted({*NETWORKS, *STREAMED}))
def test_every_step_keeps_columns_or_says_why_not(name: str) -> None:
    program = compile_graph(read_graph(load(name)))
    stream = program.stream
    assert {*stream.kept, *stream.reasons} == {*program.steps}
    assert all(stream.reasons.values())


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (ModelBuilder(seed=3).conv(8, 7), "plain kernel"),
        (ModelBuilder(seed=3).max_pool(32).conv(6, 3), "plain kernel"),
        (ModelBuilder(seed=3).conv(4, 3).max_pool(4).conv(4, 3).max_pool(4).conv(4, 3).max_pool(2), "sees padding"),
    ],
)
def test_what_can_not_be_streamed_tells_why(model: ModelBuilder, reason: str) -> None:
    graph = read_graph(model.flatten().dense(8).mark_embedding().dense(6).finish())
    assert any(reason in text for text in compile_graph(graph).stream.reasons.values())


def test_a_hop_that_a_pool_does_not_divide_ends_what_is_shared() -> None:
    model = ModelBuilder(seed=3).conv(8, 3).max_pool(4).conv(8, 3)
    steps = compile_graph(read_graph(model.flatten().dense(8).mark_embedding().dense(6).finish())).steps
    stream = plan_stream(steps, hop=30)
    assert not stream.kept
    assert "pools of 4" in stream.reasons[steps[1]]


def test_windows_that_follow_are_predicted_to_cost_less() -> None:
    for name in ("shipped_compact", "shipped_nano"):
        program = compile_graph(read_graph(load(name)))
        assert program_cost(program, follows=True).instructions < 0.8 * program_cost(program).instructions


def test_the_explanation_names_what_is_computed_and_what_is_in_the_way() -> None:
    program = compile_graph(read_graph(load("shipped_compact")))
    cells = {row[0]: row[-1] for row in explain(program)}
    following = program_cost(program, follows=True).instructions
    assert "72 of 128 columns, all but 4 to 59" in cells["conv_1"]
    assert "all, only 6 columns are shared" in cells["conv_7"]
    assert f"{following:,}" in cells["all"]
    assert f"{following:,} instructions" in prediction(program, Preference.SPEED)
    assert "computed whole (conv_1: " in prediction(compile_graph(read_graph(load("odd_shapes"))), Preference.SPEED)


CASES = [(name, prefer) for name in sorted(STREAMED) for prefer in Preference]
CASES += [(name, Preference.SPEED) for name in sorted({*NETWORKS} - STREAMED)]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1].value}")
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Program]:
    name, prefer = request.param
    model = load(name)
    return model, compiled_engine.build(model, tmp_path_factory.mktemp(name), prefer)


def test_every_window_of_a_stream_is_what_tflite_micro_makes_of_it_alone(network: tuple[bytes, Program]) -> None:
    model, program = network
    recordings = streams(210)
    windows = np.concatenate([windows_of(recording) for recording in recordings])
    for ours, golden in zip(program.run_streams(recordings), TflmModel(model).run(windows), strict=True):
        np.testing.assert_array_equal(ours, golden)


def test_every_activation_of_a_stream_is_that_of_the_window_alone(network: tuple[bytes, Program]) -> None:
    _, program = network
    recordings = streams(31)
    windows = np.concatenate([windows_of(recording) for recording in recordings])
    streamed, alone = program.stream_layers(recordings), program.layers(windows)
    assert len(streamed) == len(alone)
    for ours, whole in zip(streamed, alone, strict=True):
        np.testing.assert_array_equal(ours, whole)


def test_thousands_of_windows_of_streams_are_those_computed_alone(tmp_path: Path) -> None:
    model = load("shipped_compact")
    embedding_size = compiled_engine.write_headers(model, tmp_path)
    # No sanitisers: thousands of windows have to go through.
    compiled_engine.compile_headers(tmp_path, tmp_path / "engine", "-DNDEBUG")
    program = Program(tmp_path / "engine", embedding_size)
    recordings = streams(3_000)
    windows = np.concatenate([windows_of(recording) for recording in recordings])
    for ours, alone in zip(program.run_streams(recordings), program.run(windows), strict=True):
        np.testing.assert_array_equal(ours, alone)
