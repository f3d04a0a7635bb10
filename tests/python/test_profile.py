"""`hardwear profile`: what QEMU logged is what the chip counted, and every cost goes to the step that caused it."""

import json
from collections import Counter
from pathlib import Path

import pytest
from test_cli import assert_one_line_of_advice, hardwear
from test_codegen_on_chip import load

from hardwear.codegen import generate, read_graph
from hardwear.codegen.compiled_model import compile_graph
from hardwear.codegen.cost import program_cost
from hardwear.errors import BuildError, LinkError
from hardwear.profiling.cycles import step_cycles
from hardwear.profiling.figure import draw_flames
from hardwear.profiling.image import build_image, parse, run_image
from hardwear.profiling.profile import alive_bytes, profile
from hardwear.profiling.tflm import find_library
from hardwear.profiling.trace import Block, Instruction, StepTrace, steps_of, trace
from hardwear.profiling.windows import known_window, probing_windows


def block(*instructions: str, function: str = "f") -> Block:
    """A block of `mnemonic operands`, four bytes each."""
    parts = (text.partition(" ") for text in instructions)
    return Block(function, tuple(Instruction(4 * i, 4, name, rest) for i, (name, _, rest) in enumerate(parts)))


def cycles(*instructions: str, taken: bool = False, wait_states: int = 0) -> float:
    ((_, cost),) = step_cycles(StepTrace(Counter({(block(*instructions), taken): 1})), wait_states).values()
    return cost


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [
        (("smlad r2, r1, r6, r2",), 1),
        (("mla r0, r1, r2, r3",), 1),
        (("ldr r0, [r1]",), 2),
        (("ldr.w r0, [r1]", "ldrsb r2, [r3]", "ldrhne r4, [r5]"), 4),  # those that follow a load are pipelined
        (("ldr r0, [r1]", "adds r0, #1", "ldrb r0, [r1]"), 5),
        (("str r0, [r1]",), 1),
        (("ldrd r0, r1, [r2]",), 3),
        (("ldm.w r1!, {r6, r7, r8, sb, sl}",), 6),
        (("push {r4, r5, r6, lr}",), 5),
        (("pop {r4, pc}",), 5),
        (("pop.w {r4-r11, pc}",), 12),
        (("sdiv r0, r1, r2",), 7),
        (("vldm r0!, {s0-s3}",), 5),
        (("vldr s0, [r0]",), 2),
        (("vfma.f32 s0, s1, s2",), 3),
        (("vdiv.f32 s0, s1, s2",), 14),
        (("it lt", "movlt r2, r3", "cmp r0, r1"), 3),
    ],
)
def test_an_instruction_costs_what_the_reference_manual_says(instructions: tuple[str, ...], expected: int) -> None:
    assert cycles(*instructions) == expected


@pytest.mark.parametrize("branch", ["b #0x10", "bne.w #0x10", "bl #0x10", "bx lr", "cbz r0, #0x10", "tbb [pc, r0]"])
def test_a_branch_costs_more_only_where_it_is_taken(branch: str) -> None:
    assert cycles("adds r0, #1", branch) == 2
    assert cycles("adds r0, #1", branch, taken=True) == 4


def test_wait_states_are_paid_for_every_four_bytes_of_code() -> None:
    assert cycles("adds r0, #1", "str r0, [r1]", wait_states=3) == 2 + 2 * 3


LOG = """
IN: main
0x00000100:  4601       mov      r1, r0
0x00000102:  f000 f87d  bl       #0x200

Trace 0: 0x1 [0/00000100/0/0] main
----------------
IN: hardwear_infer
0x00000200:  2000       movs     r0, #0
0x00000202:  2101       movs     r1, #1
0x00000204:  f000 f87c  bl       #0x300

Trace 0: 0x2 [0/00000200/0/0] hardwear_infer
cpu_io_recompile: rewound execution of TB to 00000202
IN: hardwear_infer
0x00000202:  2101       movs     r1, #1
0x00000204:  f000 f87c  bl       #0x300

Trace 0: 0x3 [0/00000202/0/0] hardwear_infer
IN: hardwear_step_done
0x00000300:  4770       bx       lr

Trace 0: 0x4 [0/00000300/0/0] hardwear_step_done
IN: hardwear_infer
0x00000208:  3801       subs     r0, #1
0x0000020a:  d1fd       bne      #0x208

Trace 0: 0x5 [0/00000208/0/0] hardwear_infer
Stopped execution of TB chain before 0x5 [00000208] hardwear_infer
Trace 0: 0x5 [0/00000208/0/0] hardwear_infer
Trace 0: 0x5 [0/00000208/0/0] hardwear_infer
IN: hardwear_infer
0x0000020c:  f000 f878  bl       #0x300

Trace 0: 0x6 [0/0000020c/0/0] hardwear_infer
Trace 0: 0x4 [0/00000300/0/0] hardwear_step_done
IN: hardwear_infer
0x00000210:  4770       bx       lr

Trace 0: 0x7 [0/00000210/0/0] hardwear_infer
IN: main
0x00000106:  e7fe       b        #0x106

Trace 0: 0x8 [0/00000106/0/0] main
"""


def test_steps_are_cut_where_they_end_and_what_qemu_takes_back_is_not_counted() -> None:
    first, second = steps_of(LOG.splitlines())
    assert first.instructions == 3  # one before the device, that with the device, and the call
    assert second.instructions == 2 * 2 + 1 + 1  # the loop twice, the call, what runs after the last step
    taken = {whole.start: flag for (whole, flag), count in second.blocks.items() if whole.start == 0x208}
    assert len([key for key in second.blocks if key[0].start == 0x208]) == 2, taken


def test_a_log_without_an_inference_is_refused() -> None:
    with pytest.raises(LinkError, match="in_asm"):
        steps_of(["Trace 0: 0x1 [0/00000100/0/0] main"])


def test_an_image_that_ends_wrongly_or_refuses_is_told() -> None:
    with pytest.raises(LinkError, match="94"):
        parse(b"\x01", 94, 64)
    with pytest.raises(LinkError, match="arena"):
        parse(b"\x00", 90, 64)


def test_a_folder_without_the_library_is_told_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="third_party_downloads"):
        find_library(tmp_path)


@pytest.mark.parametrize("kind", ["arduino", "upstream"])
def test_both_kinds_of_sources_are_known(kind: str, tmp_path: Path) -> None:
    arduino = kind == "arduino"
    root = tmp_path / "src" if arduino else tmp_path
    third = root / ("third_party" if arduino else "tensorflow/lite/micro/tools/make/downloads")
    suffix = "cpp" if arduino else "cc"
    if arduino:
        (tmp_path / "library.properties").write_text("name=Chirale_TensorFLowLite\nversion=2.0.0\n")
    micro = root / "tensorflow/lite/micro"
    files = [micro / f"micro_graph.{suffix}", micro / f"micro_graph_test.{suffix}", micro / f"debug_log.{suffix}",
             micro / f"kernels/cmsis_nn/conv.{suffix}", micro / f"kernels/conv_common.{suffix}",
             third / "cmsis_nn/Source/ConvolutionFunctions/arm_convolve_s8.c"]  # fmt: skip
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    for folder in ("flatbuffers/include", "gemmlowp", "ruy", "cmsis/CMSIS/Core/Include"):
        (third / folder).mkdir(parents=True)
    library = find_library(tmp_path)
    assert library is not None
    assert [path.name for path in library.core] == [f"micro_graph.{suffix}"]
    assert {path.name for path in library.kernels} == {f"conv.{suffix}", f"conv_common.{suffix}"}
    assert [path.name for path in library.functions] == ["arm_convolve_s8.c"]


def test_probing_windows_begin_with_the_walk_and_the_extremes() -> None:
    windows = probing_windows(load("shipped_compact"), 8)
    assert windows.shape == (8, 128, 6)
    assert (windows[0] == known_window(load("shipped_compact"))[0]).all()
    assert [set(window.ravel().tolist()) for window in windows[1:4]] == [{-128}, {127}, {-128, 127}]


@pytest.mark.emulator
@pytest.mark.parametrize("name", ["paper_like", "shipped_nano"])
def test_the_trace_and_the_chips_own_counter_agree_on_every_step(name: str, tmp_path: Path) -> None:
    bundle = load(name)
    generate(bundle, tmp_path / "generated")
    image = build_image(tmp_path, known_window(bundle))
    counted = run_image(image, bundle.manifest.outputs.embedding.size).alone
    traced = trace(image)
    assert len(traced) == len(counted)
    for one, other in zip(traced[:-1], counted[:-1], strict=True):
        assert abs(one.instructions - other.instructions) <= 30  # the way to and from the mark
    assert sum(step.instructions for step in traced) == pytest.approx(sum(s.instructions for s in counted), abs=100)


@pytest.mark.emulator
def test_a_profile_adds_up_and_is_drawn(tmp_path: Path) -> None:
    bundle = load("shipped_nano")
    result = profile(bundle)
    (engine,) = result.engines
    program = compile_graph(read_graph(bundle.tflite))
    assert engine.equal
    assert engine.macs == program.graph.macs
    assert [step.name for step in engine.steps] == [step.name for step in program.steps]
    assert engine.instructions == pytest.approx(program_cost(program).instructions, rel=0.05)
    assert engine.instructions < engine.cycles < 3 * engine.instructions
    for step in engine.steps:
        assert sum(function.instructions for function in step.functions) == step.instructions
        assert step.stack_bytes > 0
    assert max(alive_bytes(program, n) for n in range(len(program.steps))) == program.memory.arena_bytes
    assert profile(bundle, wait_states=2).engines[0].cycles > 1.5 * engine.cycles
    for name in ("flames.svg", "flames.png"):
        draw_flames(result, tmp_path / name)
    drawn = (tmp_path / "flames.svg").read_text()
    assert drawn.count("<path") > 10


@pytest.mark.emulator
def test_a_window_that_follows_another_is_profiled_without_what_it_takes_over() -> None:
    bundle = load("shipped_nano")
    (following,) = profile(bundle, streaming=True).engines
    program = compile_graph(read_graph(bundle.tflite))
    assert following.equal
    assert following.instructions == pytest.approx(program_cost(program, follows=True).instructions, rel=0.05)
    assert following.instructions < 0.8 * program_cost(program).instructions


@pytest.mark.emulator
def test_the_verb_prints_json_and_says_that_the_library_is_not_at_hand(tmp_path: Path) -> None:
    done = hardwear("profile", "--emulator", "models/nano", "--json", "--figure", tmp_path / "f.svg")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["engines"][0]["engine"] == "compiled"
    assert document["engines"][0]["equal"] is True
    if len(document["engines"]) == 1:
        assert "--tflm" in done.stderr
    assert (tmp_path / "f.svg").is_file()


def test_wrong_options_end_with_advice(tmp_path: Path) -> None:
    assert_one_line_of_advice(hardwear("profile", "--tflm", tmp_path), "third_party_downloads")
    assert_one_line_of_advice(hardwear("profile", "--figure", "flame.jpg"), ".svg")
