"""What a window takes over from the one that began a hop before it.

Windows of a stream overlap: position p of the new one is position p + hop of the last. So is every column (all channels
of one position) of every activation, with the hop counted in its own positions, as long as what it was computed from
holds neither padding nor samples that only one of the two has. Those columns are kept; those at the left, which now see
the padding, and those at the right, which saw it before or are new, are computed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hardwear.codegen.convolutions import PlanesConv, ToomCookConv
from hardwear.codegen.kernels import Pack, Plain, Step
from hardwear.codegen.layout import BLOCK, WORD_BYTES
from hardwear.contract import HOP_SAMPLES


@dataclass(frozen=True)
class Columns:
    """Columns `start` to `stop` (exclusive): they equal those `hop` positions later in the last window."""

    start: int
    stop: int
    hop: int

    def __len__(self) -> int:
        return max(self.stop - self.start, 0)


@dataclass(frozen=True)
class Kept:
    """What a convolution over planes does not compute again: the columns between two runs of whole blocks."""

    columns: Columns
    left: int
    """Blocks that are computed from the first position on."""
    right: int
    """The first block that is computed after the columns."""
    offset: int
    """Bytes from the start of the history to the columns, one plane after the other."""
    size: int
    """Bytes in the history."""


@dataclass(frozen=True)
class Stream:
    """For every step what it takes over, or why nothing; and the memory between two windows."""

    kept: dict[Step, Kept]
    reasons: dict[Step, str]
    """Why a step is computed whole."""
    history_bytes: int

    def has_lone_couple(self, step: ToomCookConv) -> bool:
        """Whether `step` computes half a strip, for a window alone or for one that follows another."""
        kept = self.kept.get(step)
        return step.lone_couple(0, 0) or (kept is not None and step.lone_couple(kept.left, kept.right))


def plan_stream(steps: Sequence[Step], hop: int = HOP_SAMPLES) -> Stream:
    """Decides what each step keeps.

    Args:
        steps: The steps of one inference, in order, the first of which reads the window.
        hop: Samples between the starts of two windows.

    Returns:
        The plan. Steps without columns of their own to keep are computed whole, which is exact whatever came before.
    """
    kept: dict[Step, Kept] = {}
    reasons: dict[Step, str] = {}
    same: Columns | str = Columns(0, steps[0].source.tensor.positions - hop, hop)
    offset = 0
    for step in steps:
        same = "as is what it reads" if isinstance(same, str) else _shared(step, same)
        if isinstance(same, str):
            reasons[step] = same
        elif isinstance(step, PlanesConv):
            columns = _between_blocks(step, same, offset)
            if columns is None:
                reasons[step] = f"only {len(same)} columns are shared, which spares no whole block"
            else:
                kept[step] = columns
                offset += columns.size
        else:
            reasons[step] = "packing is as cheap as keeping"
    return Stream(kept, reasons, offset)


def shared_columns(source: Columns, taps: int, pad_left: int, pool: int) -> Columns:
    """The columns that two windows share of what a convolution and a max-pool make of `source`.

    Args:
        source: The columns that they share of its input; `pool` divides their hop.
        taps: Length of the kernel; its stride is 1.
        pad_left: Positions that the first kernel hangs over the start.
        pool: Width and stride of the pool.
    """
    # Position p reads p - pad_left ... p - pad_left + taps - 1, all of which have to be the same.
    start, stop = source.start + pad_left, source.stop + pad_left - (taps - 1)
    return Columns(-(-start // pool), max(stop, 0) // pool, source.hop // pool)


def _shared(step: Step, source: Columns) -> Columns | str:
    """The columns that two windows share of a step's output, given those of its input; or why they share none."""
    match step:
        case Pack() if _same_shape(step):
            return source
        case PlanesConv(fused=fused) if source.hop % fused.pool:
            return f"windows are {source.hop} of its positions apart, which pools of {fused.pool} do not divide"
        case PlanesConv(fused=fused):
            columns = shared_columns(source, fused.conv.taps, fused.conv.pad_left, fused.pool)
            return columns if len(columns) else "every column sees padding, in this window or in the last"
        case Plain():
            return "a plain kernel, which knows no columns"
        case _:
            return "cheap beside the convolutions"


def _same_shape(step: Pack) -> bool:
    """False if the planes are another view of the rows."""
    source, target = step.source.tensor, step.target.tensor
    return (source.positions, source.channels) == (target.positions, target.channels)


def _between_blocks(step: PlanesConv, same: Columns, offset: int) -> Kept | None:
    pool = step.fused.pool
    left, right = -(-same.start * pool // BLOCK), same.stop * pool // BLOCK
    right -= (right - left) % step.together
    if left >= right:
        return None
    columns = Columns(left * BLOCK // pool, right * BLOCK // pool, same.hop)
    return Kept(columns, left, right, offset, len(columns) * step.target.count * WORD_BYTES)
