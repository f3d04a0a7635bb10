"""What the compiler decided for each step, why, and what it predicts that it costs."""

from hardwear.codegen.compiled_model import Program, describe
from hardwear.codegen.convolutions import DirectConv, PlanesConv, ToomCookConv, why_plain, why_tap_by_tap
from hardwear.codegen.cost import program_cost, step_costs
from hardwear.codegen.dense import Dense, why_not_dense
from hardwear.codegen.filling import arena_with
from hardwear.codegen.fusion import FusedConv, fuse
from hardwear.codegen.graph import Conv1D, FullyConnected
from hardwear.codegen.kernels import Pack, Plain, PlanesAverage, Preference, Step, Unpack
from hardwear.codegen.layout import Layout
from hardwear.codegen.plan import Buffer, Place

COLUMNS = ("step", "computes", "how and why", "writes", "MACs", "instructions", "flash", "next of a stream")


def explain(program: Program) -> list[tuple[str, ...]]:
    """One row of `COLUMNS` a step, and one of sums; instructions and flash are predictions for a Cortex-M4.

    The last column tells of a window that overlaps the one before: its instructions, and the columns that are computed.
    """
    rows = [
        (
            step.name,
            describe(step.layers) or "-",
            _decision(program, step),
            _written(program, step.target),
            f"{cost.macs:,}",
            f"{cost.instructions:,}",
            f"{cost.flash_bytes:,}",
            f"{following.instructions:,}: {_computed(program, step)}",
        )
        for step, cost, following in zip(
            program.steps, step_costs(program), step_costs(program, follows=True), strict=True
        )
    ]
    total, following = program_cost(program), program_cost(program, follows=True)
    streamed = f"{following.instructions:,}: history of {program.stream.history_bytes:,} bytes"
    sums = (f"{total.macs:,}", f"{total.instructions:,}", f"{total.flash_bytes:,}", streamed)
    return [*rows, ("all", "", "", f"arena of {program.memory.arena_bytes:,} bytes", *sums)]


def prediction(program: Program, prefer: Preference) -> str:
    """The sums in two sentences."""
    total, following = program_cost(program), program_cost(program, follows=True)
    stream = f"{following.instructions:,} instructions, history of {program.stream.history_bytes:,} bytes"
    if not program.stream.kept:
        obstacle = next(step for step in program.steps if not isinstance(step, Pack))
        stream = f"computed whole ({obstacle.name}: {program.stream.reasons[obstacle]})"
    return (
        f"for {prefer.value}: {total.instructions:,} instructions an inference "
        f"({total.instructions / max(total.macs, 1):.2f} a multiply-accumulate), {total.flash_bytes:,} bytes of flash, "
        f"arena of {program.memory.arena_bytes:,} bytes; the next window of a stream: {stream}"
    )


def _decision(program: Program, step: Step) -> str:
    match step:
        case PlanesConv():
            parts = [_way(program, step)]
            if step.fused.pool > 1:
                parts.append(f"largest of {step.fused.pool} sums before rescaling")
            if step.fused.table is not None:
                parts.append("activation by a table")
            if step.scratch_bytes:
                parts.append(f"{step.scratch_bytes:,} bytes of scratch")
            return "; ".join(parts)
        case PlanesAverage():
            return "two channels at a time"
        case Dense():
            return f"SMLAD, four outputs at a time, {step.unroll * 4} inputs a turn"
        case Pack():
            return "the next step reads planes"
        case Unpack():
            return "what follows reads rows"
        case Plain(layer=Conv1D() as conv):
            reasons = [
                why_plain(operation)
                for operation in fuse(program.graph)
                if isinstance(operation, FusedConv) and operation.conv is conv
            ]
            return f"plain: {reasons[0]}"
        case Plain(layer=FullyConnected() as dense) if why_not_dense(dense) is not None:
            return f"plain: {why_not_dense(dense)}"
        case Plain():
            return "plain"


def _computed(program: Program, step: Step) -> str:
    """Which of a step's columns a window that follows another computes."""
    kept = program.stream.kept.get(step)
    if kept is None:
        return f"all, {program.stream.reasons[step]}"
    positions, columns = step.target.tensor.positions, kept.columns
    return f"{positions - len(columns)} of {positions} columns, all but {columns.start} to {columns.stop - 1}"


def _way(program: Program, step: PlanesConv) -> str:
    """Which kernel computes a convolution over planes, and why not the other."""
    if isinstance(step, ToomCookConv):
        direct = DirectConv(step.fused, step.source, step.target, narrow=False)
        return (
            f"minimal filtering, {step.filter.points} products for 4 positions of {step.taps} taps: "
            f"tap by tap it took {round(direct.instructions(0, 0)):,} instructions"
        )
    text = f"tap by tap, blocks of 4 positions, {step.taps} taps"
    if isinstance(step, DirectConv) and step.narrow:
        return f"{text}, int8 weights widened at run time"
    tiled = ToomCookConv(step.fused, step.source, step.target)
    reason = why_tap_by_tap(tiled)
    if reason is None:
        reason = f"it took {round(tiled.instructions(0, 0)):,} instructions"
        if tiled.instructions(0, 0) < step.instructions(0, 0):
            arena_bytes = arena_with(program.graph, program.steps, tiled)
            reason += f", but {tiled.scratch_bytes:,} bytes of scratch and an arena of {arena_bytes:,}"
    return f"{text}; no minimal filtering: {reason}"


def _written(program: Program, layout: Layout) -> str:
    return f"{layout.text} at {_place(program.memory.of(layout))}"


def _place(buffer: Buffer) -> str:
    return (
        f"{buffer.offset}, steps {buffer.first} to {buffer.last}" if buffer.place is Place.ARENA else buffer.place.value
    )
