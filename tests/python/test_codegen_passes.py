"""Each pass of the compiler by itself: what is fused, what runs where, and that its choices are told."""

import re

import numpy as np
import pytest
from engine_models import NETWORKS
from tflite_builder import ModelBuilder

from hardwear.codegen import read_graph
from hardwear.codegen.compiled_model import compile_graph
from hardwear.codegen.convolutions import DirectConv, PlanesConv, ToomCookConv, why_plain, why_tap_by_tap
from hardwear.codegen.cost import program_cost, step_costs
from hardwear.codegen.dense import Dense
from hardwear.codegen.explain import COLUMNS, explain, prediction
from hardwear.codegen.filling import arena_with
from hardwear.codegen.fusion import FusedConv, fuse
from hardwear.codegen.graph import Graph, Reshape
from hardwear.codegen.kernels import Pack, Plain, Preference, Unpack, by_minimal_filtering, choose_kernels
from hardwear.codegen.plan import plan_memory


def graph_of(model: ModelBuilder) -> Graph:
    """Some convolutions, then what every network ends with."""
    return read_graph(model.flatten().dense(8).mark_embedding().dense(6).finish())


def fused_of(graph: Graph) -> list[FusedConv]:
    return [operation for operation in fuse(graph) if isinstance(operation, FusedConv)]


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_fusion_keeps_every_layer_that_computes_once_and_in_order(name: str) -> None:
    graph = read_graph(NETWORKS[name]())
    parts = [
        layer
        for operation in fuse(graph)
        for layer in (operation.layers if isinstance(operation, FusedConv) else (operation,))
    ]
    assert parts == [layer for layer in graph.layers if not isinstance(layer, Reshape)]


def test_an_activation_becomes_a_table_and_a_pool_moves_before_the_rescaling() -> None:
    (fused,) = fused_of(graph_of(ModelBuilder(seed=1).conv(8, 3).leaky_relu(0.1).max_pool(2)))
    assert (len(fused.layers), fused.pool) == (3, 2)
    assert fused.table is not None
    assert list(fused.table) == sorted(fused.table)


def test_saturation_alone_needs_no_table() -> None:
    (fused,) = fused_of(graph_of(ModelBuilder(seed=1).conv(8, 3, relu=True)))
    assert fused.table is None
    assert fused.conv.clamp.low == -128


def test_pools_that_overlap_or_leave_positions_over_stay_layers_of_their_own() -> None:
    assert [f.pool for f in fused_of(graph_of(ModelBuilder(seed=1).conv(8, 3).max_pool(3, stride=2)))] == [1]
    odd = ModelBuilder(seed=1).conv(8, 4, same=False).max_pool(2)  # 125 positions
    assert [f.pool for f in fused_of(graph_of(odd))] == [1]


def test_nothing_is_fused_past_the_embedding() -> None:
    model = ModelBuilder(seed=2).max_pool(128).conv(5, 1).mark_embedding().leaky_relu(0.2)
    graph = read_graph(model.flatten().dense(6).finish())
    (fused,) = fused_of(graph)
    assert fused.output is graph.embedding


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (ModelBuilder(seed=3).conv(8, 7), "7 taps"),
        (ModelBuilder(seed=3).conv(8, 3, stride=2), "stride 2"),
    ],
)
def test_a_convolution_that_stays_plain_tells_why(model: ModelBuilder, reason: str) -> None:
    graph = graph_of(model)
    (fused,) = fused_of(graph)
    assert reason in (why_plain(fused) or "")
    program = compile_graph(graph)
    assert any(reason in row[COLUMNS.index("how and why")] for row in explain(program))
    assert not any(isinstance(step, PlanesConv | Pack | Unpack) for step in program.steps)


@pytest.mark.parametrize("prefer", Preference)
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_weights_in_flash_are_the_models_own(name: str, prefer: Preference) -> None:
    for step in convolutions_of(name, prefer):
        model = step.fused.conv.weights.astype(np.int64)
        stored = step.stored_weights.astype(np.int64)
        if isinstance(step, DirectConv):
            scale = 1 if step.narrow else 2
            np.testing.assert_array_equal(
                stored.reshape(len(model), -1).sum(axis=1), scale * model.reshape(len(model), -1).sum(axis=1)
            )
        else:
            # The first tap is what the point 0 has, the last one what infinity has.
            outputs = stored.transpose(0, 3, 1, 2, 4).reshape(-1, stored.shape[1], 2 * stored.shape[2])
            first, last = step.filter.weights[0, 0], step.filter.weights[-1, -1]
            inputs, lanes = model.shape[2], step.source.lanes
            # Bytes 0 and 2 of a word of four are a pair, then 1 and 3.
            channels = outputs.reshape(*outputs.shape[:2], -1, lanes // 2, 2).swapaxes(3, 4).reshape(outputs.shape)
            np.testing.assert_array_equal(channels[: len(model), 0, :inputs], first * model[:, 0])
            if step.taps == step.fused.conv.taps:
                np.testing.assert_array_equal(channels[: len(model), -1, :inputs], last * model[:, -1])


def convolutions_of(name: str, prefer: Preference) -> list[PlanesConv]:
    return [step for step in compile_graph(read_graph(NETWORKS[name]()), prefer).steps if isinstance(step, PlanesConv)]


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_each_convolution_takes_the_faster_of_both_ways(name: str) -> None:
    for step in convolutions_of(name, Preference.SPEED):
        ways = (
            DirectConv(step.fused, step.source, step.target, narrow=False),
            ToomCookConv(step.fused, step.source, step.target),
        )
        possible = ways if why_tap_by_tap(ways[1]) is None else ways[:1]
        assert step.instructions(0, 0) == min(way.instructions(0, 0) for way in possible)


def test_minimal_filtering_is_not_for_those_who_spare_flash() -> None:
    assert all(isinstance(step, DirectConv) for name in NETWORKS for step in convolutions_of(name, Preference.FLASH))


def test_where_ram_is_spared_minimal_filtering_fills_what_is_idle_and_no_byte_more() -> None:
    """The arena is that of the plan without it; every convolution whose scratch fits takes it, and no other does."""
    seen: set[type[PlanesConv]] = set()
    for name in NETWORKS:
        graph = read_graph(NETWORKS[name]())
        program = compile_graph(graph, Preference.RAM)
        direct = choose_kernels(graph, fuse(graph), Preference.RAM)
        assert all(isinstance(step, DirectConv) for step in direct if isinstance(step, PlanesConv))
        assert program.memory.arena_bytes == plan_memory(graph, direct).arena_bytes
        for step, plain in zip(program.steps, direct, strict=True):
            tiled = by_minimal_filtering(plain) if isinstance(plain, DirectConv) else None
            fits = tiled is not None and arena_with(graph, direct, tiled) <= program.memory.arena_bytes
            if tiled is not None:
                seen.add(type(step))
            assert isinstance(step, ToomCookConv) == fits, step.name
    assert seen == {DirectConv, ToomCookConv}, "both cases have to occur"


def test_a_convolution_whose_scratch_costs_ram_tells_how_much() -> None:
    program = compile_graph(read_graph(NETWORKS["paper_gap"]()), Preference.RAM)
    (row,) = (row for row in explain(program) if row[0] == "conv_6")
    assert re.search(r"no minimal filtering: .* bytes of scratch and an arena of 6,\d\d\d", row[2])


def test_a_convolution_that_is_computed_tap_by_tap_tells_why() -> None:
    """Sums that are not shifted, in a layer whose negative ones matter; and fewer channels than pay."""
    assert any(
        "a channel is not shifted" in row[2] for row in explain(compile_graph(read_graph(NETWORKS["broken_blocks"]())))
    )
    few = compile_graph(graph_of(ModelBuilder(seed=1).conv(2, 5)))
    assert any("no minimal filtering: it took" in row[2] for row in explain(few))


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_each_preference_spares_what_it_names(name: str) -> None:
    graph = read_graph(NETWORKS[name]())
    programs = {prefer: compile_graph(graph, prefer) for prefer in Preference}
    costs = {prefer: program_cost(program) for prefer, program in programs.items()}
    arenas = {prefer: program.memory.arena_bytes for prefer, program in programs.items()}
    assert costs[Preference.SPEED].instructions == min(cost.instructions for cost in costs.values())
    assert costs[Preference.FLASH].constant_bytes == min(cost.constant_bytes for cost in costs.values())
    assert arenas[Preference.RAM] == min(arenas.values())


def test_the_explanation_has_a_row_for_every_step_and_adds_up() -> None:
    program = compile_graph(read_graph(NETWORKS["paper_like"]()))
    rows = explain(program)
    assert [row[0] for row in rows] == [*(step.name for step in program.steps), "all"]
    assert all(len(row) == len(COLUMNS) for row in rows)
    instructions = [int(row[COLUMNS.index("instructions")].replace(",", "")) for row in rows]
    assert sum(instructions[:-1]) == instructions[-1] == sum(cost.instructions for cost in step_costs(program))
    assert f"{instructions[-1]:,} instructions" in prediction(program, Preference.SPEED)


def test_plain_layers_are_left_for_rows_alone() -> None:
    program = compile_graph(read_graph(NETWORKS["tiny_windows"]()))
    assert all(isinstance(step, Plain | Dense) for step in program.steps)
