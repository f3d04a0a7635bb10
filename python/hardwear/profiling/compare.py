"""Every activation of the compiled engine on the emulated chip beside TFLite-Micro's own."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hardwear.bundle import Bundle
from hardwear.codegen import generate
from hardwear.codegen.compiled_model import Program, describe
from hardwear.codegen.kernels import Preference
from hardwear.errors import ReplayMismatch
from hardwear.profiling.image import COMPILED, build_image, run_image
from hardwear.quantization.tflm import activations

DUMP = "-DHARDWEAR_DUMP_LAYERS"


@dataclass(frozen=True)
class Difference:
    """Where the two sides part, in the order of execution."""

    window: int
    step: int
    layer: str
    computes: str
    channel: int
    position: int
    expected: int
    """What TFLite-Micro has there."""
    got: int
    """What the compiled engine has there."""

    def __str__(self) -> str:
        return (
            f"step {self.step}, {self.layer} ({self.computes}): window {self.window}, channel {self.channel}, position "
            f"{self.position}: expected {self.expected} as TFLite-Micro has it, got {self.got}"
        )


@dataclass(frozen=True)
class Comparison:
    """The outcome."""

    windows: int
    layers: int
    values: int
    """Compared, over all windows."""
    unequal: int
    first: Difference | None

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)

    def require_equal(self) -> None:
        """Raises a `ReplayMismatch` that names layer, channel and position of the first difference."""
        if self.first is not None:
            raise ReplayMismatch(
                f"{self.unequal:,} of {self.values:,} activations differ, first in {self.first}. Next step: if the "
                "headers were changed by hand, `hardwear generate` again; if not, that step's kernel is wrong"
            )


def compare(
    bundle: Bundle,
    program: Program,
    windows: npt.NDArray[np.int8],
    generated: Path | None = None,
    dump: Path | None = None,
    prefer: Preference = Preference.SPEED,
) -> Comparison:
    """Runs windows through both sides and compares what every step writes.

    Args:
        bundle: The model.
        program: The same, compiled.
        windows: (N, 128, 6) int8.
        generated: Folder of the headers to compile, called `generated`. Default: those of the bundle.
        dump: Folder for the activations of both sides, one `.npy` each of (windows, positions, channels) int8.
        prefer: What the program spares.

    Raises:
        BuildError: The chip's compiler is missing or refuses.
        LinkError: QEMU is missing, or the engine does not come to its end.
    """
    with tempfile.TemporaryDirectory(prefix="hardwear-compare-") as name:
        folder = Path(name)
        if generated is None:
            generate(bundle, folder / "generated", prefer)
        else:
            (folder / "generated").symlink_to(generated.resolve())
        image = build_image(folder, windows, COMPILED, [DUMP])
        sizes = [step.target.tensor.size for step in program.steps]
        answers = run_image(image, program.graph.embedding.size, sizes)
    chip = [np.stack(layer) for layer in zip(*answers.layers, strict=True)]
    golden = activations(bundle.tflite, windows, [step.target.tensor.index for step in program.steps])
    if dump is not None:
        _write(dump, program, chip, golden)
    return _compared(program, chip, golden)


def _compared(
    program: Program, chip: Sequence[npt.NDArray[np.int8]], golden: Sequence[npt.NDArray[np.int8]]
) -> Comparison:
    unequal = [ours != theirs for ours, theirs in zip(chip, golden, strict=True)]
    first = None
    for window in range(len(chip[0])):
        step = next((number for number, wrong in enumerate(unequal) if wrong[window].any()), None)
        if step is not None:
            value, channels = int(unequal[step][window].argmax()), program.steps[step].target.tensor.channels
            first = Difference(
                window,
                step,
                program.steps[step].name,
                describe(program.steps[step].layers) or "the same values in another layout",
                value % channels,
                value // channels,
                int(golden[step][window, value]),
                int(chip[step][window, value]),
            )
            break
    return Comparison(
        windows=len(chip[0]),
        layers=len(chip),
        values=sum(layer.size for layer in chip),
        unequal=sum(int(wrong.sum()) for wrong in unequal),
        first=first,
    )


def _write(
    folder: Path, program: Program, chip: Sequence[npt.NDArray[np.int8]], golden: Sequence[npt.NDArray[np.int8]]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    index = []
    for number, (step, ours, theirs) in enumerate(zip(program.steps, chip, golden, strict=True)):
        tensor = step.target.tensor
        stem = f"{number:02}-{step.name}"
        for side, values in (("compiled", ours), ("tflite-micro", theirs)):
            np.save(folder / f"{stem}.{side}.npy", values.reshape(-1, tensor.positions, tensor.channels))
        index.append(
            {
                "step": step.name,
                "computes": describe(step.layers),
                "files": stem,
                "positions": tensor.positions,
                "channels": tensor.channels,
                "scale": tensor.scale,
                "zero_point": tensor.zero_point,
                "equal": bool((ours == theirs).all()),
            }
        )
    (folder / "layers.json").write_text(json.dumps(index, indent=1) + "\n")
