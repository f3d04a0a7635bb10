"""A wearable for tests that need no wire: a route whose connections say what the test has written down."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from hardwear.errors import LinkError
from hardwear.wearable.calibration import CalibrationState
from hardwear.wearable.connection import Board, ConnectionLost, Packet
from hardwear.wearable.orientation import IDENTITY, Rotation
from hardwear.wearable.packets import (
    CalibrationAction,
    CalibrationCommand,
    CalibrationPacket,
    Config,
    Flag,
    PredictionPacket,
)

WALKING, STANDING, UNKNOWN = 0, 4, 15


def prediction(sequence: int, **changes: object) -> PredictionPacket:
    """A window of walking, 1.28 s after the one before."""
    packet = PredictionPacket(
        flags=Flag(0),
        sequence=sequence % 65536,
        activity=WALKING,
        label=WALKING,
        confidence=230,
        probabilities=(230, 15, 10, 0, 0, 0),
        time_ms=(10_000 + 1280 * sequence) % 2**32,
        inference_us=85_300,
    )
    return replace(packet, **changes)  # type: ignore[arg-type]


@dataclass
class Clock:
    """Time that passes only when somebody waits."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Silence:
    """So many seconds without a packet."""

    seconds: float


LOST = ConnectionLost("lost the connection. Next step: bring it near")
Happening = Packet | Silence | LinkError


@dataclass
class FakeConnection:
    """Says what it is told to, one happening after the other; then nothing."""

    happenings: list[Happening]
    clock: Clock
    config: Config = field(default_factory=Config)
    calibration: CalibrationPacket = field(
        default_factory=lambda: CalibrationPacket(CalibrationState.IDLE, 0, IDENTITY)
    )
    takes: bool = True
    locked: bool = False
    commands: list[CalibrationCommand] = field(default_factory=list)
    closed: bool = False
    name: str = "fake"
    way: str = "BLE"
    _board: Board = field(default_factory=lambda: Board("nano33ble", "f1e05b22f399a8b3", "LSM9DS1"))

    def board(self) -> Board:
        return self._board

    def read_config(self) -> Config:
        return self.config

    def write_config(self, config: Config) -> None:
        if self._allowed():
            self.config = config

    def read_calibration(self) -> CalibrationPacket:
        return self.calibration

    def write_calibration(self, command: CalibrationCommand) -> None:
        if not self._allowed():
            return
        self.commands.append(command)
        states = {
            CalibrationAction.START: CalibrationState.STAND_STILL,
            CalibrationAction.CANCEL: CalibrationState.CANCELLED,
        }
        if command.action in states:
            self.calibration = replace(self.calibration, state=states[command.action])
        elif command.action is CalibrationAction.FORGET:
            self.calibration = replace(self.calibration, rotation=IDENTITY)

    def unlock(self) -> None:
        self.locked = False

    def subscribe(self) -> None: ...

    def notify_every(self) -> int:
        return self.config.notify_every

    def next_packet(self, timeout_s: float) -> Packet | None:
        if not self.happenings:
            self.clock.now += timeout_s
            return None
        happening = self.happenings.pop(0)
        if isinstance(happening, Silence):
            self.clock.now += min(happening.seconds, timeout_s)
            if happening.seconds > timeout_s:
                self.happenings.insert(0, Silence(happening.seconds - timeout_s))
            return None
        if isinstance(happening, LinkError):
            raise happening
        if isinstance(happening, PredictionPacket):
            self.clock.now += 1.28
        else:
            self.calibration = happening
        return happening

    def close(self) -> None:
        self.closed = True

    def _allowed(self) -> bool:
        if self.locked:
            self._board = replace(self._board, locked_writes=self._board.locked_writes + 1)
        elif not self.takes:
            self._board = replace(self._board, bad_writes=self._board.bad_writes + 1)
        return self.takes and not self.locked


class FakeRoute:
    """Connects as often as there are connections or failures; then fails for ever."""

    def __init__(self, *outcomes: Sequence[Happening] | LinkError, config: Config | None = None) -> None:
        self.clock = Clock()
        self.config = config or Config()
        self.outcomes = list(outcomes)
        self.attempts: list[float] = []
        """When somebody tried to connect."""
        self.connections: list[FakeConnection] = []

    def connect(self) -> FakeConnection:
        self.attempts.append(self.clock.now)
        outcome = self.outcomes.pop(0) if self.outcomes else LinkError("found no wearable")
        if isinstance(outcome, LinkError):
            raise outcome
        self.connections.append(FakeConnection(list(outcome), self.clock, self.config))
        return self.connections[-1]

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def turned(up: Sequence[int], y: Sequence[int], z: Sequence[int]) -> Rotation:
    return Rotation.of([16384 * value for value in (*up, *y, *z)])
