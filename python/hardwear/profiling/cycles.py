"""A model of the Cortex-M4's cycles: each executed instruction times a cost.

QEMU has no cycles, so this is a model and not a measurement. `docs/performance.md` has its table, taken from Arm's
technical reference manual of the Cortex-M4 (100166, table 3-1 and what follows it).
"""

import re
from collections.abc import Iterator

from hardwear.profiling.trace import Block, Instruction, StepTrace

CLOCK_HZ = 64_000_000
"""The nRF52840's."""

BRANCH = 3
DIVISION = 7
_CONDITIONS = ("eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "cs", "cc")
_LOADS = ("ldr", "ldrb", "ldrsb", "ldrh", "ldrsh")
_MULTIPLE = ("ldm", "ldmdb", "stm", "stmdb", "push", "pop")
_BRANCHES = ("b", "bl", "blx", "bx", "cbz", "cbnz", "tbb", "tbh")
_CONDITIONAL = (*_LOADS, *_BRANCHES, *_MULTIPLE, "ldrd", "strd", "sdiv", "udiv", "mla", "mls")
_REGISTER = re.compile(r"([a-z]+)(\d+)")


def block_costs(block: Block, taken: bool, wait_states: int) -> Iterator[float]:
    """Cycles of each instruction of a block that ran once.

    Args:
        block: The block.
        taken: Whether its last instruction branched.
        wait_states: Cycles that the flash makes each four bytes of code wait.
    """
    after_load = False
    for number, instruction in enumerate(block.instructions):
        operation = _operation(instruction)
        last = number + 1 == len(block.instructions)
        cost = _cost(operation, instruction.operands, after_load, taken and last)
        after_load = operation in _LOADS
        yield cost + wait_states * instruction.size / 4


def step_cycles(step: StepTrace, wait_states: int = 0) -> dict[str, tuple[int, float]]:
    """Instructions and cycles of each function, by its symbol.

    Args:
        step: What was executed.
        wait_states: Cycles that the flash makes each four bytes of code wait: 0 as with a cache that always hits.
    """
    functions: dict[str, tuple[int, float]] = {}
    for (block, taken), count in step.blocks.items():
        instructions, cycles = functions.get(block.function, (0, 0.0))
        functions[block.function] = (
            instructions + count * len(block.instructions),
            cycles + count * sum(block_costs(block, taken, wait_states)),
        )
    return functions


def _operation(instruction: Instruction) -> str:
    """The mnemonic without its width and condition."""
    name = instruction.mnemonic
    if name.startswith("v"):
        return name
    name = name.partition(".")[0]
    if name[-2:] in _CONDITIONS and name[:-2] in _CONDITIONAL:
        return name[:-2]
    return name


def _cost(operation: str, operands: str, after_load: bool, taken: bool) -> float:
    if operation.startswith("v"):
        return _floating_point(operation.partition(".")[0], operands)
    if operation in _LOADS:
        return (1 if after_load else 2) + (BRANCH - 1 if operands.startswith("pc,") else 0)
    if operation in ("ldrd", "strd"):
        return 3
    if operation in _MULTIPLE:
        return 1 + _registers(operands) + (2 if "pc" in operands else 0)
    if operation in ("sdiv", "udiv"):
        return DIVISION
    if operation in _BRANCHES:
        return BRANCH if taken else 1
    return 1


def _floating_point(operation: str, operands: str) -> float:
    if operation in ("vldr", "vstr"):
        return 2
    if operation in ("vldm", "vldmia", "vldmdb", "vpop", "vstm", "vstmia", "vstmdb", "vpush"):
        return 1 + _registers(operands)
    if operation in ("vdiv", "vsqrt"):
        return 14
    if operation in ("vmla", "vfma", "vmls", "vnmla", "vfms"):
        return 3
    return 1


def _registers(operands: str) -> int:
    """How many words a list of registers is: `{r4-r6, lr}` or `{s0, s1}`; a d register is two."""
    count = 0
    for part in operands.partition("{")[2].partition("}")[0].split(","):
        first, _, last = part.strip().partition("-")
        words = 2 if first.startswith("d") else 1
        a, b = _REGISTER.fullmatch(first), _REGISTER.fullmatch(last)
        count += words * (int(b[2]) - int(a[2]) + 1 if a and b else 1)
    return count
