"""The memory plan: nothing overwritten before it was read, outputs where the caller wants them, no byte too many."""

from itertools import combinations, pairwise

import pytest
from engine_models import NETWORKS
from tflite_builder import ModelBuilder

from hardwear.codegen.compiled_model import Program, compile_graph
from hardwear.codegen.graph import Activation
from hardwear.codegen.kernels import Plain
from hardwear.codegen.plan import ALIGNMENT, Buffer, Place
from hardwear.codegen.reader import read_graph
from hardwear.errors import ConversionError


@pytest.fixture(params=sorted(NETWORKS))
def program(request: pytest.FixtureRequest) -> Program:
    return compile_graph(read_graph(NETWORKS[request.param]()))


def overlap(a: Buffer, b: Buffer) -> bool:
    return a.place == b.place and a.offset < b.offset + b.size and b.offset < a.offset + a.size


def test_no_step_writes_into_what_it_reads_but_activations(program: Program) -> None:
    for step in program.steps:
        source, target = program.memory.of(step.source), program.memory.of(step.target)
        if isinstance(step, Plain) and isinstance(step.layer, Activation) and source.offset == target.offset:
            assert source.size == target.size
        else:
            assert not overlap(source, target), step.name


def test_buffers_that_live_at_the_same_time_do_not_overlap(program: Program) -> None:
    for a, b in combinations(program.memory.buffers.values(), 2):
        shared = (a.first, a.last, a.offset) == (b.first, b.last, b.offset)  # one works in place on the other
        if not shared and a.first <= b.last and b.first <= a.last:
            assert not overlap(a, b)


def test_every_step_reads_what_the_one_before_wrote(program: Program) -> None:
    for before, after in pairwise(program.steps):
        assert before.target is after.source


def test_nothing_leaves_the_arena_and_the_window_is_never_written(program: Program) -> None:
    for step in program.steps:
        target = program.memory.of(step.target)
        if target.place is Place.ARENA:
            assert 0 <= target.offset <= program.memory.arena_bytes - target.size
            assert target.offset % ALIGNMENT == 0
        assert target.place is not Place.WINDOW


def test_outputs_are_written_once_where_the_caller_wants_them(program: Program) -> None:
    places = [program.memory.of(step.target).place for step in program.steps]
    assert places.count(Place.EMBEDDING) == places.count(Place.LOGITS) == 1
    assert places[-1] is Place.LOGITS


def test_arena_is_as_small_as_what_the_largest_step_needs(program: Program) -> None:
    memory = program.memory
    needed = []
    for step in program.steps:
        buffers = {memory.of(step.source), memory.of(step.target)}
        if step in memory.scratch:
            buffers.add(memory.scratch[step])
        in_place = memory.of(step.source).offset == memory.of(step.target).offset and isinstance(step, Plain)
        sizes = [-(-b.size // ALIGNMENT) * ALIGNMENT for b in buffers if b.place is Place.ARENA]
        needed.append(max(sizes, default=0) if in_place else sum(sizes))
    assert memory.arena_bytes == max(needed)


def test_scratch_is_nobody_elses(program: Program) -> None:
    for step, scratch in program.memory.scratch.items():
        assert not overlap(scratch, program.memory.of(step.source))
        assert not overlap(scratch, program.memory.of(step.target))


def test_an_output_that_is_only_a_view_is_refused() -> None:
    model = ModelBuilder().mark_embedding().flatten().dense(6)
    with pytest.raises(ConversionError, match="view"):
        compile_graph(read_graph(model.finish()))
