"""The profile of an engine: what each step of one inference takes of the emulated Cortex-M4."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hardwear.build import measure
from hardwear.bundle import Bundle
from hardwear.codegen import generate, read_graph
from hardwear.codegen.compiled_model import Program, compile_graph, describe
from hardwear.codegen.graph import Graph, Layer
from hardwear.codegen.kernels import Preference
from hardwear.codegen.model_data import tensor_arena_bytes
from hardwear.codegen.plan import Place
from hardwear.profiling import tflm
from hardwear.profiling.cycles import CLOCK_HZ, step_cycles
from hardwear.profiling.image import COMPILED, NOTHING, Answers, build_image, run_image
from hardwear.profiling.trace import trace
from hardwear.profiling.windows import known_stream, known_window, stream_windows
from hardwear.progress import Progress, silent
from hardwear.quantization.tflm import TflmModel

COLUMNS = ("step", "MACs", "instructions", "cycles", "at 64 MHz", "stack", "RAM")


@dataclass(frozen=True)
class FunctionCost:
    """What one function took within a step."""

    name: str
    instructions: int
    cycles: int


@dataclass(frozen=True)
class StepCost:
    """What one step took."""

    name: str
    computes: str
    """In words."""
    macs: int
    instructions: int
    """Executed, counted one by one."""
    cycles: int
    """By the model of `cycles.py`."""
    stack_bytes: int
    """Below where the engine is called."""
    ram_bytes: int
    """Activations that are alive in the engine's own memory: what the step reads, writes and needs on the way."""
    functions: tuple[FunctionCost, ...]
    """The most expensive first."""


@dataclass(frozen=True)
class EngineProfile:
    """What one engine takes for one window."""

    engine: str
    steps: tuple[StepCost, ...]
    flash_bytes: int
    """Code, constants and model: the image less one without an engine."""
    ram_bytes: int
    """Variables and the part of the arena that is in use, likewise; the stack is not in it."""
    arena_bytes: int
    equal: bool
    """Whether logits and embedding are TFLite-Micro's to the bit."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates that the layers ask for."""
        return sum(step.macs for step in self.steps)

    @property
    def instructions(self) -> int:
        """Of one inference."""
        return sum(step.instructions for step in self.steps)

    @property
    def cycles(self) -> int:
        """Of one inference, by the model."""
        return sum(step.cycles for step in self.steps)

    @property
    def stack_bytes(self) -> int:
        """The deepest, below where the engine is called."""
        return max(step.stack_bytes for step in self.steps)

    def rows(self) -> list[tuple[str, ...]]:
        """One row of `COLUMNS` a step, and one of sums."""
        rows = [
            (step.name, f"{step.macs:,}", *_figures(step.instructions, step.cycles),
             f"{step.stack_bytes:,}", f"{step.ram_bytes:,}")
            for step in self.steps
        ]  # fmt: skip
        total = (f"{self.macs:,}", *_figures(self.instructions, self.cycles))
        return [*rows, ("all", *total, f"{self.stack_bytes:,}", f"{self.ram_bytes:,}")]

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "engine": self.engine,
            "macs": self.macs,
            "instructions": self.instructions,
            "cycles_modelled": self.cycles,
            "time_us_at_64_mhz": round(self.cycles / CLOCK_HZ * 1e6, 1),
            "flash_bytes": self.flash_bytes,
            "ram_bytes": self.ram_bytes,
            "arena_bytes": self.arena_bytes,
            "stack_bytes": self.stack_bytes,
            "equal": self.equal,
            "steps": [asdict(step) for step in self.steps],
        }


@dataclass(frozen=True)
class Profile:
    """One or two engines on the same window."""

    bundle: str
    identity: str
    prefer: str
    wait_states: int
    engines: tuple[EngineProfile, ...]

    def to_json(self) -> dict[str, Any]:
        """What `hardwear profile --json` prints."""
        return {
            "bundle": self.bundle,
            "identity": self.identity,
            "prefer": self.prefer,
            "flash_wait_states": self.wait_states,
            "engines": [engine.to_json() for engine in self.engines],
        }


def profile(
    bundle: Bundle,
    prefer: Preference = Preference.SPEED,
    wait_states: int = 0,
    streaming: bool = False,
    library: tflm.Library | None = None,
    progress: Progress = silent,
) -> Profile:
    """Profiles the compiled engine, and TFLite-Micro's interpreter beside it where its sources are at hand.

    Args:
        bundle: The model; the window is that of its known answer.
        prefer: What the compiled engine spares.
        wait_states: Cycles that the flash makes each four bytes of code wait.
        streaming: Whether the compiled engine's window follows another one, half a window later.
        library: TFLite-Micro's sources.
        progress: Told of what is done.

    Raises:
        BuildError: The chip's compiler is missing or refuses.
        LinkError: QEMU is missing, or an engine does not come to its end.
        ConversionError: The model can't be compiled.
    """
    program = compile_graph(read_graph(bundle.tflite), prefer)
    window = known_window(bundle)
    archive = tflm.build_library(library, progress=progress) if library is not None else None
    model = TflmModel(bundle.tflite)
    with tempfile.TemporaryDirectory(prefix="hardwear-profile-") as name:
        folder = Path(name)
        generate(bundle, folder / "generated", prefer)
        empty = measure(build_image(folder, window, NOTHING))

        def engine(name: str, image: Path, steps: Sequence[StepCost], reserved_arena: int) -> EngineProfile:
            answers = run_image(image, model.embedding_size)
            inputs = stream_windows(bundle) if answers.following else window
            whole, golden = measure(image), model.run(inputs)
            return EngineProfile(
                name,
                _measured(image, answers, steps, wait_states),
                (whole.flash_bytes or 0) - (empty.flash_bytes or 0),
                (whole.ram_bytes or 0) - (empty.ram_bytes or 0) - reserved_arena + answers.arena_bytes,
                answers.arena_bytes,
                all(bool((a == b).all()) for a, b in zip((answers.logits, answers.embedding), golden, strict=True)),
            )

        inputs, streams = (window[:0], [known_stream(bundle)]) if streaming else (window, [])
        image = build_image(folder, inputs, COMPILED, streams=streams)
        title = "compiled, only the new half" if streaming else "compiled"
        engines = [engine(title, image, _compiled_steps(program), program.memory.arena_bytes)]
        if library is not None and archive is not None:
            image = build_image(folder, window, tflm.ENGINE, library.flags, [archive])
            reserved = tensor_arena_bytes(program.graph, bundle.manifest.arena_bytes)
            engines.append(engine(f"{library.name} + CMSIS-NN", image, _interpreted_steps(program.graph), reserved))
    return Profile(bundle.manifest.name, bundle.identity, prefer.value, wait_states, tuple(engines))


def alive_bytes(program: Program, number: int) -> int:
    """Bytes of the arena that hold something while a step runs."""
    memory = program.memory
    used = {
        (buffer.offset, buffer.offset + buffer.size)
        for buffer in (*memory.buffers.values(), *memory.scratch.values())
        if buffer.place is Place.ARENA and buffer.first <= number <= buffer.last
    }
    total = end = 0
    for start, stop in sorted(used):
        total += max(stop - max(start, end), 0)
        end = max(end, stop)
    return total


def _compiled_steps(program: Program) -> list[StepCost]:
    return [_unmeasured(step.name, step.layers, alive_bytes(program, n)) for n, step in enumerate(program.steps)]


def _interpreted_steps(graph: Graph) -> list[StepCost]:
    return [_unmeasured(layer.name, (layer,), layer.input.size + layer.output.size) for layer in graph.layers]


def _unmeasured(name: str, layers: Sequence[Layer], ram_bytes: int) -> StepCost:
    computes = describe(layers) or "the same values in another layout"
    return StepCost(name, computes, sum(layer.macs for layer in layers), 0, 0, 0, ram_bytes, ())


def _measured(image: Path, answers: Answers, steps: Sequence[StepCost], wait_states: int) -> tuple[StepCost, ...]:
    measured = []
    traced, counted = trace(image, 1 if answers.following else 0), answers.following or answers.alone
    for step, executed, figures in zip(steps, traced, counted, strict=True):
        costs = sorted(step_cycles(executed, wait_states).items(), key=lambda cost: -cost[1][1])
        names = _demangled([name for name, _ in costs])
        functions = tuple(
            FunctionCost(name, instructions, round(cycles))
            for name, (_, (instructions, cycles)) in zip(names, costs, strict=True)
        )
        measured.append(
            StepCost(
                step.name,
                step.computes,
                step.macs,
                executed.instructions,
                round(sum(cycles for _, (_, cycles) in costs)),
                figures.stack_bytes,
                step.ram_bytes,
                functions,
            )
        )
    return tuple(measured)


def _demangled(names: Sequence[str]) -> list[str]:
    """Names as C++ has them, without their arguments; as the linker has them where binutils are not at hand."""
    tool = "arm-none-eabi-c++filt"
    if not names or shutil.which(tool) is None:
        return list(names)
    said = subprocess.run([tool, "-p", *names], capture_output=True, text=True, check=True).stdout
    return [line.removeprefix("void ").removeprefix("hardwear::").partition("<")[0] for line in said.splitlines()]


def _figures(instructions: int, cycles: int) -> tuple[str, str, str]:
    return f"{instructions:,}", f"{cycles:,}", f"{cycles / CLOCK_HZ * 1e3:.2f} ms"
