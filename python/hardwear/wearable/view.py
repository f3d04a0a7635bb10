"""What a person sees of a watch: one calm picture of a fixed size, or one line for each packet."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hardwear.contract import CLASSES
from hardwear.wearable.monitor import Event, Watch
from hardwear.wearable.packets import UNKNOWN_NAME, PredictionPacket
from hardwear.wearable.words import fault_sentences, flag_sentences

BAR_WIDTH = 40
LATE_INTERVALS = 3
"""After so many intervals without a packet the time since the last one is no longer calm."""
_LATE_S = 5.0
"""While the interval is not known."""
_EIGHTHS = " ▏▎▍▌▋▊▉"
_NAME_WIDTH = max(map(len, CLASSES))


def picture(watch: Watch, now: float) -> RenderableType:
    """The whole view.

    Args:
        watch: What is known.
        now: The time, by the clock of the watch.
    """
    lines: list[RenderableType] = [_heading(watch), Text(), _activity(watch), Text(), _bars(watch), Text()]
    lines += [_pace(watch), _arrivals(watch, now)]
    if said := notes(watch):
        lines.append(_sentences(said))
    return Group(*lines)


def line(watch: Watch) -> str:
    """One packet in one line, for where nothing can be drawn."""
    packet = watch.packet
    if watch.event is not Event.PACKET or packet is None:
        return watch.trouble or f"connected to {watch.board.name} over {watch.way} ({watch.name})"
    told = [f"{packet.sequence:5d}", f"{packet.label_name:<{_NAME_WIDTH}}"]
    told.append(f"window {packet.activity_name:<{_NAME_WIDTH}} {_percent(packet.confidence):>4}")
    told.append(f"{packet.inference_us / 1000:.1f} ms")
    if watch.step.restarted:
        told.append("restarted")
    if watch.step.lost:
        told.append(f"{watch.step.lost} lost before it")
    return "  ".join([*told, *flag_sentences(packet.flags)])


def notes(watch: Watch) -> list[str]:
    """What the person should know, in sentences; nothing while all is well."""
    said = [watch.trouble] if watch.trouble else []
    if watch.packet is not None:
        said += flag_sentences(watch.packet.flags)
    said += [words for words in fault_sentences(watch.board.faults) if words not in said]
    if watch.restarts:
        said.append(f"the board started anew {_times(watch.restarts)} while it was watched")
    return said


def _heading(watch: Watch) -> Text:
    board = watch.board
    sensor = f"  sensor {board.sensor}" if board.sensor else ""
    return Text.assemble(
        (f"  {board.name}", "bold"),
        (f"  over {watch.way} ({watch.name}){sensor}  model {board.identity}", "dim"),
        overflow="ellipsis",
        no_wrap=True,
    )


def _activity(watch: Watch) -> Text:
    packet = watch.packet
    if packet is None:
        return Text("  waiting for the first window", style="dim")
    named = packet.label_name != UNKNOWN_NAME
    style = "bold green" if named and not watch.trouble else "bold dim"
    if packet.activity_name == UNKNOWN_NAME:
        window = "no window now"
    else:
        window = f"this window: {packet.activity_name} {_percent(packet.confidence)}"
    return Text.assemble(("  " + f"{packet.label_name:<{_NAME_WIDTH + 4}}", style), (window, "dim"))


def _bars(watch: Watch) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=_NAME_WIDTH + 2)
    table.add_column(width=BAR_WIDTH)
    table.add_column(width=5, justify="right")
    probabilities = watch.packet.probabilities if watch.packet else (0,) * len(CLASSES)
    label = watch.packet.label if watch.packet else None
    for index, (name, probability) in enumerate(zip(CLASSES, probabilities, strict=True)):
        style = "green" if index == label and not watch.trouble else "dim"
        table.add_row(Text("  " + name, style=style), Text(bar(probability), style=style), _percent(probability))
    return table


def bar(probability: int, width: int = BAR_WIDTH) -> str:
    """A bar of a probability in 255ths, to an eighth of a character."""
    eighths = round(probability * width * 8 / 255)
    whole, part = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[part] if part else "")


def _pace(watch: Watch) -> Text:
    said = ["no rate yet" if watch.interval_s is None else f"a packet every {watch.interval_s:.2f} s"]
    packet = watch.packet
    if packet is not None:
        said.append(f"inference {packet.inference_us / 1000:.1f} ms" if packet.inference_us else "no inference")
        said.append(f"running for {_duration(packet)}")
    return Text("  " + " · ".join(said))


def _arrivals(watch: Watch, now: float) -> Text:
    counts = f"  {watch.received} received, {watch.lost} lost · "
    if watch.packet is None:
        return Text(counts + "none yet")
    since = max(now - watch.at, 0.0)
    limit = _LATE_S if watch.interval_s is None else LATE_INTERVALS * watch.interval_s
    return Text.assemble(counts, (f"last one {since:.1f} s ago", "yellow" if since > limit else ""))


def _sentences(said: list[str]) -> Table:
    table = Table.grid()
    for note in said:
        table.add_row(Text("  ! ", style="yellow"), Text(note, style="yellow"))
    return table


def _percent(of_255: int) -> str:
    return f"{of_255 * 100 / 255:.0f} %"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _duration(packet: PredictionPacket) -> str:
    minutes, seconds = divmod(packet.time_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
