"""Which instructions an engine executed in each step, how often: read from QEMU's own log.

QEMU translates code in blocks. With `-d in_asm,exec,nochain` it logs every block once when it is translated, with its
instructions, and once every time that it is executed. Two kinds of lines take something back: a block that was stopped
before its first instruction, and one that was left in its middle because it turned out to touch a device. The sum is
the same, to the instruction, as what the board's counter says.

The plain names of two functions in `firmware/boards/emulator/profile/engine.h` tell where an inference and its steps
begin and end.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hardwear.errors import LinkError
from hardwear.profiling.image import booted

LOG = ("-d", "in_asm,exec,nochain")

_INSTRUCTION = re.compile(r"0x([0-9a-f]{8}):  ((?:[0-9a-f]{4} ?){1,2})\s+(\S+)\s*(.*)")
_INFER, _STEP_DONE = "hardwear_infer", "hardwear_step_done"


@dataclass(frozen=True)
class Instruction:
    """One instruction of the image."""

    address: int
    size: int
    """Bytes."""
    mnemonic: str
    operands: str


@dataclass(frozen=True)
class Block:
    """Instructions that follow one another, with no branch but the last."""

    function: str
    """The symbol that it belongs to, as the linker knows it."""
    instructions: tuple[Instruction, ...]

    @property
    def start(self) -> int:
        """Address of the first instruction."""
        return self.instructions[0].address

    @property
    def end(self) -> int:
        """Address after the last instruction."""
        last = self.instructions[-1]
        return last.address + last.size


@dataclass
class StepTrace:
    """What was executed in one step."""

    blocks: Counter[tuple[Block, bool]] = field(default_factory=Counter)
    """How often each block ran; the flag says whether it went on elsewhere than behind itself."""

    @property
    def instructions(self) -> int:
        """All of them."""
        return sum(len(block.instructions) * count for (block, _), count in self.blocks.items())


def trace(image: Path, inference: int = 0) -> list[StepTrace]:
    """Boots an image and tells what each step of an inference executed.

    Args:
        image: What `build_image` made.
        inference: Number of the inference; what comes after it is not waited for.

    Raises:
        LinkError: QEMU is missing or logs no instructions.
    """
    with booted(image, *LOG, log=True) as (process, _):
        assert process.stderr is not None
        return steps_of((line.decode("ascii", "replace") for line in process.stderr), inference)


def steps_of(log: Iterable[str], inference: int = 0) -> list[StepTrace]:
    """The steps of one of the log's inferences; what runs after the last one belongs to it.

    Raises:
        LinkError: There is no inference in it.
    """
    steps: list[StepTrace] = []
    current: StepTrace | None = None
    ends = resumes = -1
    before: Block | None = None
    for block, following in _with_next(_executed(log)):
        if current is None and block.function == _INFER and before is not None:
            ends, current = before.end, StepTrace()
        if current is None:
            before = block
            continue
        if block.start == ends:
            if inference == 0:
                break
            inference, current, before = inference - 1, None, block
            ends = resumes = -1  # the last mark may have returned straight to the caller
            steps.clear()
            continue
        if resumes < 0 and block.function == _STEP_DONE:
            assert before is not None
            resumes = before.end
            steps.append(current)
            current = StepTrace()
        elif block.start == resumes:
            resumes = -1
        if resumes < 0:
            current.blocks[block, following is not None and following.start != block.end] += 1
        before = block
    if current is None or not steps:
        raise LinkError(
            "expected the instructions of an inference in QEMU's log, found none; this QEMU can't disassemble or log "
            "(it needs -d in_asm,exec,nochain, as Debian's qemu-system-arm has it)"
        )
    steps[-1].blocks.update(current.blocks)
    return steps


def _executed(log: Iterable[str]) -> Iterator[Block]:
    """The blocks in the order of their execution, shortened or left out where QEMU took them back."""
    known: dict[str, Block] = {}
    shortened: dict[tuple[str, int], Block] = {}
    translated: list[Instruction] = []
    key = ""
    for line in log:
        if line.startswith("Trace "):
            if key:
                yield known[key]
            _, _, key, _, *function = line.split()
            if translated:
                known[key] = Block(function[0] if function else "", tuple(translated))
                translated = []
            if key not in known:  # a QEMU that disassembles nothing
                key = ""
        elif line.startswith("0x"):
            found = _INSTRUCTION.match(line)
            if found is not None:
                address, code, mnemonic, operands = found.groups()
                size = 2 * len(code.split())
                translated.append(Instruction(int(address, 16), size, mnemonic, operands.strip()))
        elif line.startswith("Stopped execution"):
            key = ""
        elif line.startswith("cpu_io_recompile") and key:
            reached = int(line.rsplit(maxsplit=1)[-1], 16)
            whole = known[key]
            part = tuple(i for i in whole.instructions if i.address < reached)
            if part:
                yield shortened.setdefault((key, reached), Block(whole.function, part))
            key = ""
    if key:
        yield known[key]


def _with_next(blocks: Iterator[Block]) -> Iterator[tuple[Block, Block | None]]:
    held: Block | None = None
    for block in blocks:
        if held is not None:
            yield held, block
        held = block
    if held is not None:
        yield held, None
