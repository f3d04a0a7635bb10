"""The memory plan: nothing overwritten before it was read, outputs where the caller wants them, no byte too many."""

import pytest
from engine_models import NETWORKS
from tflite_builder import ModelBuilder

from hardwear.codegen.graph import Activation, Graph, Reshape
from hardwear.codegen.plan import Buffer, Place, plan_memory
from hardwear.codegen.reader import read_graph
from hardwear.errors import ConversionError


@pytest.fixture(params=sorted(NETWORKS))
def graph(request: pytest.FixtureRequest) -> Graph:
    return read_graph(NETWORKS[request.param]())


def overlap(a: Buffer, b: Buffer) -> bool:
    return a.place == b.place and a.offset < b.offset + b.size and b.offset < a.offset + a.size


def test_no_layer_writes_into_what_it_reads_but_activations(graph: Graph) -> None:
    plan = plan_memory(graph)
    for layer in graph.layers:
        source, target = plan.of(layer.input), plan.of(layer.output)
        if isinstance(layer, Reshape) or (isinstance(layer, Activation) and source == target):
            assert source == target
        else:
            assert not overlap(source, target), layer.name


def test_nothing_leaves_the_arena_and_the_window_is_never_written(graph: Graph) -> None:
    plan = plan_memory(graph)
    for layer in graph.layers:
        target = plan.of(layer.output)
        if target.place is Place.ARENA:
            assert 0 <= target.offset <= plan.arena_bytes - target.size
            assert target.offset % 16 == 0
        assert isinstance(layer, Reshape) or target.place is not Place.WINDOW


def test_outputs_are_written_where_the_caller_wants_them_and_then_kept(graph: Graph) -> None:
    plan = plan_memory(graph)
    assert plan.of(graph.logits).place is Place.LOGITS
    assert plan.of(graph.embedding).place is Place.EMBEDDING
    done = False
    for layer in graph.layers:
        assert not (done and plan.of(layer.output).place is Place.EMBEDDING and not isinstance(layer, Reshape))
        done = done or layer.output is graph.embedding


def test_arena_is_as_small_as_the_largest_pair_of_neighbours() -> None:
    plan = plan_memory(read_graph(NETWORKS["compact"]()))
    assert plan.arena_bytes == 128 * 16 + 128 * 16


def test_an_output_that_is_only_a_view_is_refused() -> None:
    model = ModelBuilder().mark_embedding().flatten().dense(6)
    with pytest.raises(ConversionError, match="view"):
        plan_memory(read_graph(model.finish()))
