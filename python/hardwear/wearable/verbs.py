"""`hardwear monitor`, `calibrate`, `configure` and `power`: what its wearer does with a board that names activities."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hardwear import console
from hardwear.contract import CLASSES
from hardwear.errors import HardwearError
from hardwear.options import JsonOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from hardwear.wearable.connection import Connection, Route
    from hardwear.wearable.monitor import Watch
    from hardwear.wearable.packets import CalibrationPacket, Config
    from hardwear.wearable.power import Budget

# As in `hardwear.cli`, what takes time to import is imported inside the verbs.

BleOption = Annotated[bool, typer.Option("--ble", help="Over Bluetooth, even if a board is plugged in.")]
AddressOption = Annotated[
    str | None,
    typer.Option(
        help="Over Bluetooth, to the board with this address. Default: HARDWEAR_ADDRESS, the only one in reach."
    ),
]
PortOption = Annotated[
    str | None,
    typer.Option(
        help="Over this serial port or pyserial URL. Default: HARDWEAR_PORT, the only board that is plugged in."
    ),
]
REDRAWS_A_SECOND = 4


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    for verb in (monitor, calibrate, configure, power):
        app.command()(verb)


def monitor(
    ble: BleOption = False,
    address: AddressOption = None,
    port: PortOption = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many packets.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="End after so long.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line a packet and nothing else.")] = False,
) -> None:
    """Show what a wearable tells, live; Ctrl-C ends it. Connects again when the link is lost.

    Exit code 0: ended as asked. 1: the board sent nothing. 2: no board, or it can't be read. 3: the time was over while
    the link was lost.
    """
    from hardwear.wearable.monitor import Limits, watch

    show = _print_json_lines if as_json else _draw if console.out.is_terminal else _print_lines
    with _route(ble, address, port) as route:
        try:
            show(watch(route, Limits(count, seconds)))
        except KeyboardInterrupt:
            return


def calibrate(
    ble: BleOption = False,
    address: AddressOption = None,
    port: PortOption = None,
    forget: Annotated[bool, typer.Option("--forget", help="Have the board forget how it is worn.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Only tell the calibration that it has.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Teach a board how it is worn: stand still for 3 s, then walk for 10 s.

    Exit code 0: done. 1: it failed and the old calibration holds. 2: no board, or it takes no changes.
    """
    from hardwear.wearable import calibrate as guide

    if forget and show:
        raise HardwearError("--forget changes the calibration and --show only tells it; give one of them")
    with _connection(ble, address, port) as connection:
        if forget:
            guide.forget(connection)
        elif not show:
            with _guidance(quiet=as_json) as tell:
                guide.calibrate(connection, tell)
        rotation = connection.read_calibration().rotation
    if as_json:
        console.print_json({"rotation": rotation.matrix().tolist(), "q14": rotation.q14})
        return
    rows = [(axis, *(f"{value:+.3f}" for value in row)) for axis, row in zip("xyz", rotation.matrix(), strict=True)]
    console.print_table("wearer's axes by the board's", ("", "board x", "board y", "board z"), rows)
    for sentence in guide.meaning(rotation):
        console.out.print(sentence, highlight=False)


def configure(
    ble: BleOption = False,
    address: AddressOption = None,
    port: PortOption = None,
    smoothing: Annotated[
        int | None, typer.Option(min=0, max=6, help="A window counts 1 / 2^N in the label; 0: it alone counts.")
    ] = None,
    threshold: Annotated[int | None, typer.Option(min=0, max=100, help="Percent below which nothing is named.")] = None,
    notify_every: Annotated[int | None, typer.Option(min=1, max=255, help="Send every N-th window over BLE.")] = None,
    led: Annotated[bool | None, typer.Option("--led/--no-led", help="Whether the LED shows anything.")] = None,
    low_power: Annotated[
        bool | None, typer.Option("--low-power/--no-low-power", help="Sleep after 30 s of stillness.")
    ] = None,
    unlock: Annotated[
        bool, typer.Option("--unlock", help="Over serial: let changes in over Bluetooth for a minute.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell or change a board's settings; it keeps them when switched off.

    Exit code 0: it has the settings shown. 2: no board, or it takes no changes.
    """
    from hardwear.wearable.connection import write_config

    given = {
        "smoothing": smoothing,
        "threshold": None if threshold is None else round(threshold * 255 / 100),
        "notify_every": notify_every,
        "led": led,
        "low_power": low_power,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    with _connection(ble, address, port) as connection:
        if unlock:
            connection.unlock()
            console.note(f"{connection.name} takes changes over Bluetooth for a minute")
        settings = connection.read_config()
        if changes:
            settings = replace(settings, **changes)  # type: ignore[arg-type]
            write_config(connection, settings)
    if as_json:
        console.print_json(asdict(settings))
        return
    console.print_facts("settings", _settings_words(settings))


def power(
    inference_ma: Annotated[float | None, typer.Option(help="Measured while it infers.")] = None,
    sensing_ma: Annotated[float | None, typer.Option(help="Measured awake, between inferences.")] = None,
    asleep_ma: Annotated[float | None, typer.Option(help="Measured asleep.")] = None,
    advertising_ma: Annotated[float | None, typer.Option(help="What advertising adds.")] = None,
    connected_ma: Annotated[float | None, typer.Option(help="What a connection adds.")] = None,
    inference_ms: Annotated[float | None, typer.Option(help="Of 1,280; monitor shows it. Default: 85.")] = None,
    asleep_hours: Annotated[float, typer.Option(help="Asleep, of 24 (configure --low-power).")] = 0.0,
    connected_hours: Annotated[float, typer.Option(help="Connected, of 24; advertising else.")] = 24.0,
    capacity_mah: Annotated[float, typer.Option(help="Of the battery.")] = 500.0,
    usable: Annotated[float, typer.Option(help="Of the capacity, 0 to 1.")] = 0.8,
    battery_v: Annotated[float, typer.Option(help="Its mean voltage; for datasheet figures.")] = 3.7,
    efficiency: Annotated[float, typer.Option(help="Of the regulator, 0 to 1; for datasheet figures.")] = 0.8,
    sensor: Annotated[str, typer.Option(help="lsm9ds1 (Rev1) or bmi270 (Rev2).")] = "lsm9ds1",
    dcdc: Annotated[
        bool, typer.Option("--dcdc", help="The chip's DC/DC converter is on (Arduino's core: off).")
    ] = False,
    power_led: Annotated[bool, typer.Option("--power-led/--no-power-led", help="Whether it shines.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compute how long a battery lasts, from currents that you measured; datasheets fill in for the others."""
    from hardwear.wearable.power import Battery, Design, State, budget

    given = {
        State.INFERENCE: inference_ma,
        State.SENSING: sensing_ma,
        State.ASLEEP: asleep_ma,
        State.ADVERTISING: advertising_ma,
        State.CONNECTED: connected_ma,
    }
    design = Design(sensor, dcdc, power_led, asleep_hours=asleep_hours, connected_hours=connected_hours)
    if inference_ms is not None:
        design = replace(design, inference_ms=inference_ms)
    result = budget(
        {state: value for state, value in given.items() if value is not None},
        design,
        Battery(capacity_mah, usable, battery_v, efficiency),
    )
    if as_json:
        console.print_json(_budget_json(result))
        return
    _print_budget(result)


# -- what several verbs need ----------------------------------------------------------------------------------------


def _route(ble: bool, address: str | None, port: str | None) -> "Route":
    from hardwear.wearable.route import find_route

    return find_route(ble, address, port)


@contextmanager
def _connection(ble: bool, address: str | None, port: str | None) -> "Iterator[Connection]":
    with _route(ble, address, port) as route:
        with console.err.status("looking for the board"):
            connection = route.connect()
        try:
            yield connection
        finally:
            connection.close()


# -- monitor --------------------------------------------------------------------------------------------------------


def _draw(watches: "Iterator[Watch]") -> None:
    """One picture that changes in place."""
    from rich.live import Live
    from rich.text import Text

    from hardwear.wearable.view import picture

    latest: Watch | None = None
    with Live(
        get_renderable=lambda: picture(latest, time.monotonic()) if latest else Text("  looking for the board"),
        console=console.out,
        refresh_per_second=REDRAWS_A_SECOND,
    ):
        for latest in watches:  # noqa: B007 - the picture is drawn from it, several times a second
            pass


def _print_lines(watches: "Iterator[Watch]") -> None:
    """One line a packet, where nothing can be drawn."""
    from hardwear.wearable.monitor import Event
    from hardwear.wearable.view import line

    for watch in watches:
        if watch.event is Event.PACKET:
            typer.echo(line(watch))
        else:
            console.note(line(watch))


def _print_json_lines(watches: "Iterator[Watch]") -> None:
    """One JSON document a line; what is no packet goes to stderr."""
    from hardwear.wearable.monitor import Event
    from hardwear.wearable.view import line

    for watch in watches:
        if watch.event is Event.PACKET:
            typer.echo(json.dumps(packet_json(watch)))
        else:
            console.note(line(watch))


def packet_json(watch: "Watch") -> dict[str, Any]:
    """A packet as `monitor --json` prints it (docs/monitor.md)."""
    from hardwear.wearable.words import flag_names

    packet = watch.packet
    assert packet is not None
    return {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "board": watch.board.name,
        "name": watch.name,
        "way": watch.way,
        "sequence": packet.sequence,
        "activity": packet.label_name,
        "window": packet.activity_name,
        "confidence": packet.confidence,
        "probabilities": dict(zip(CLASSES, packet.probabilities, strict=True)),
        "flags": flag_names(packet.flags),
        "time_ms": packet.time_ms,
        "inference_us": packet.inference_us,
        "interval_ms": watch.step.interval_ms,
        "lost": watch.step.lost,
        "restarted": watch.step.restarted,
        "received_total": watch.received,
        "lost_total": watch.lost,
    }


# -- calibrate, configure, power ------------------------------------------------------------------------------------


@contextmanager
def _guidance(quiet: bool) -> "Iterator[Callable[[CalibrationPacket], None]]":
    """What to do now and how much of it is done, on stderr."""
    from rich.progress import BarColumn, Progress, TextColumn

    from hardwear.wearable.calibrate import UNDER_WAY
    from hardwear.wearable.calibration import ADVICE, CalibrationState

    with Progress(BarColumn(), TextColumn("{task.description}"), console=console.err, disable=quiet) as bar:
        tasks = {state: bar.add_task(ADVICE[state], total=255, visible=False) for state in sorted(UNDER_WAY)}

        def tell(packet: "CalibrationPacket") -> None:
            if packet.state in tasks:
                now = CalibrationState(packet.state)
                bar.update(tasks[now], completed=packet.progress, visible=True)
            for state, task in tasks.items():
                if state < packet.state <= CalibrationState.DONE:
                    bar.update(task, completed=255)

        yield tell


def _settings_words(settings: "Config") -> dict[str, str]:
    weight = "each window alone counts" if settings.smoothing == 0 else f"a window counts 1/{2**settings.smoothing}"
    return {
        "smoothing": f"{settings.smoothing} ({weight})",
        "threshold": f"{settings.threshold * 100 / 255:.0f} % ({settings.threshold} of 255)",
        "notify every": f"{settings.notify_every} window{'s' if settings.notify_every > 1 else ''}",
        "LED": "on" if settings.led else "off",
        "low power": "sleeps after 30 s of stillness" if settings.low_power else "always awake",
    }


def _budget_json(result: "Budget") -> dict[str, Any]:
    return {
        "states": [{**asdict(share), "average": share.average} for share in result.shares],
        "battery": asdict(result.battery),
        "average_ma": result.average_ma,
        "hours": result.hours,
        "measured": result.measured,
    }


def _print_budget(result: "Budget") -> None:
    from hardwear.wearable.power import RAIL_V

    battery = result.battery
    rows = [
        (share.state.value, f"{share.milliamps:.2f}", f"{share.share:.1%}", f"{share.average:.2f}", share.arithmetic)
        for share in result.shares
    ]
    rows.append(("average", "", "", f"{result.average_ma:.2f}", ""))
    console.print_table("current from the battery", ("", "mA", "of the day", "adds mA", "from"), rows)
    console.out.print(
        f"{battery.capacity_mah:g} mAh x {battery.usable:g} / {result.average_ma:.2f} mA = {result.hours:.1f} h",
        highlight=False,
    )
    if not result.measured:
        console.out.print(
            f"Not measured. Datasheet figures are for {RAIL_V:g} V, here times {RAIL_V:g} V / ({battery.volts:g} V x "
            f"{battery.efficiency:g}) = {battery.factor:.3f}. docs/power.md tells where each is from.",
            highlight=False,
        )
