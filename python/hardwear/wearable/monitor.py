"""Reads a wearable's predictions for as long as somebody wants them, and finds it again when the link is lost."""

import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from hardwear.errors import HardwearError, LinkError
from hardwear.wearable.connection import Board, Connection, ConnectionLost, Route
from hardwear.wearable.packets import PredictionPacket
from hardwear.wearable.tally import Step, Tally

FIRST_RETRY_S = 0.5
LONGEST_RETRY_S = 10.0


class NoPackets(HardwearError):
    """A wearable was there and sent nothing for as long as it was watched."""

    exit_code = 1


class LinkStillLost(LinkError):
    """The watch ended while the connection was lost."""

    exit_code = 3


class Event(Enum):
    """What a watch tells of."""

    CONNECTED = "connected"
    PACKET = "packet"
    LOST = "lost"


@dataclass(frozen=True)
class Limits:
    """When a watch ends; with neither, when its user ends it."""

    packets: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Watch:
    """What is known of a wearable after an event."""

    event: Event
    name: str
    """What it is connected to."""
    way: str
    """`BLE` or `serial`."""
    board: Board
    trouble: str = ""
    """Why there is no connection; empty while there is one."""
    packet: PredictionPacket | None = None
    """The last one."""
    at: float = -math.inf
    """When that came, by the clock of `watch`."""
    step: Step = field(default_factory=Step)
    """What it told, seen after the one before."""
    received: int = 0
    lost: int = 0
    restarts: int = 0
    interval_s: float | None = None
    """Mean time between packets, lost ones included, by the board's clock; None before two have come."""


def watch(
    route: Route,
    limits: Limits,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Watch]:
    """Connect and tell every packet; when the link is lost, connect again, waiting longer each time that fails.

    Args:
        route: The way to the wearable.
        limits: When to end.
        clock: Seconds that only go on.
        sleep: Waits that many seconds.

    Yields:
        What is known after each event.

    Raises:
        LinkError: The first connection failed, or the board sends what can't be read.
        NoPackets: The time is over and none came.
        LinkStillLost: The time is over and the link is lost.
    """
    deadline = math.inf if limits.seconds is None else clock() + limits.seconds
    connection, board = _attempt(route)
    tally = Tally()
    state = Watch(Event.CONNECTED, connection.name, connection.way, board)
    try:
        while True:
            try:
                tally.notify_every = connection.notify_every()
                connection.subscribe()
                yield state
                for packet in _predictions(connection, deadline, clock):
                    at = clock()
                    step = tally.add(packet, at)
                    if step is None:
                        continue
                    state = _after(state, packet, at, step, tally)
                    yield state
                    if tally.received == limits.packets:
                        return
                break
            except LinkError as error:
                if not (isinstance(error, ConnectionLost) or tally.received):
                    raise
                state = replace(state, event=Event.LOST, trouble=str(error))
            yield state
            connection.close()
            connection, state = yield from _reconnect(route, state, deadline, clock, sleep)
    finally:
        connection.close()
    if not tally.received:
        raise NoPackets(
            f"{state.name} sent nothing in {limits.seconds:g} s. Next step: is it asleep? Move it; a board may also be "
            "set to send only every so many windows (hardwear configure)"
        )


def _attempt(route: Route) -> tuple[Connection, Board]:
    connection = route.connect()
    try:
        return connection, connection.board()
    except BaseException:
        connection.close()
        raise


def _predictions(connection: Connection, deadline: float, clock: Callable[[], float]) -> Iterator[PredictionPacket]:
    """The predictions that come until the deadline."""
    while (left := deadline - clock()) > 0:
        packet = connection.next_packet(min(left, LONGEST_RETRY_S))
        if isinstance(packet, PredictionPacket):
            yield packet


def _after(state: Watch, packet: PredictionPacket, at: float, step: Step, tally: Tally) -> Watch:
    return replace(
        state,
        event=Event.PACKET,
        packet=packet,
        at=at,
        step=step,
        received=tally.received,
        lost=tally.lost,
        restarts=tally.restarts,
        interval_s=tally.interval_s,
    )


def _reconnect(
    route: Route, state: Watch, deadline: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> Generator[Watch, None, tuple[Connection, Watch]]:
    """Try until it succeeds; yields after each attempt that failed.

    Raises:
        LinkStillLost: The deadline has come.
    """
    delay = FIRST_RETRY_S
    while (left := deadline - clock()) > 0:
        sleep(min(delay, left))
        delay = min(2 * delay, LONGEST_RETRY_S)
        try:
            connection, board = _attempt(route)
        except LinkError as error:
            state = replace(state, event=Event.LOST, trouble=str(error))
            yield state
            continue
        return connection, replace(state, event=Event.CONNECTED, name=connection.name, board=board, trouble="")
    raise LinkStillLost(f"the time is over and the link still lost: {state.trouble}")
