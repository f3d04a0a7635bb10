"""`hardwear generate --figure`: the memory plan as a picture, complete and the same every time."""

from pathlib import Path

import pytest
from engine_models import NETWORKS
from test_cli import assert_one_line_of_advice, hardwear

from hardwear.codegen import read_graph
from hardwear.codegen.compiled_model import compile_graph
from hardwear.codegen.memory_figure import draw_memory
from hardwear.codegen.plan import Place


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_buffer_of_the_arena_is_a_box(name: str, tmp_path: Path) -> None:
    program = compile_graph(read_graph(NETWORKS[name]()))
    draw_memory(program, tmp_path / "memory.svg", name)
    drawn = (tmp_path / "memory.svg").read_text()
    boxes = {b for b in program.memory.buffers.values() if b.place is Place.ARENA}
    boxes |= set(program.memory.scratch.values())
    assert drawn.count("opacity: 0.85") >= len(boxes) > 0


def test_the_verb_draws_it(tmp_path: Path) -> None:
    done = hardwear("generate", "models/nano", "--out", tmp_path / "generated", "--figure", tmp_path / "memory.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "memory.png").read_bytes().startswith(b"\x89PNG")
    assert_one_line_of_advice(hardwear("generate", "--figure", tmp_path / "memory.gif"), ".svg")
