"""One conversation with an IEC 62056-21 meter, without I/O: a script says what to do next and is told what was heard.

1. Silence, a wake-up where the meter wants one, and the sign-on at the first speed; the meter names itself and a speed.
2. Mode A: the list follows at the same speed. Mode B: it follows at the speed named. Mode C: the reader accepts the
   speed while still at the old one, both switch, and the list follows.
3. Instead of the list, the reader may ask for programming mode: P0, the password, a command for each register, B0.
4. Mode E begins like C; after it the line belongs to HDLC.

    script = session.read_list()
    step = next(script)                    # Send, Hear, Pause, Quiet, Switch
    step = script.send(what_was_heard)     # after a Hear: bytes, none for silence; else b""

The list stands in the StopIteration that ends a script; what goes wrong is a DriverError.
"""

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from drivers.contract import DecodeError, NoAnswer, Refused
from drivers.iec62056.codec import Reader
from drivers.iec62056.echo import Echo
from drivers.iec62056.messages import (
    ACK,
    BREAK,
    SPEEDS,
    Bcc,
    Block,
    Command,
    Damaged,
    DataSet,
    Identification,
    Message,
    ReadOut,
    Signal,
    command,
    option,
    sign_on,
)  # fmt: skip

Mode = Literal["auto", "A", "B", "C", "D"]
Ask = Literal["R1", "R2", "R5", "R6"]

BITS = 10
"""Of a character: start, seven, parity, stop; or eight without parity."""
WAKE_UP = 2.2
"""Seconds of NULs that wake the optical port of a meter with a battery."""
AFTER_WAKE_UP = 1.5
QUIET = 0.2
"""Seconds of silence before a sign-on: within it a meter has dropped what it heard before."""
PATIENCE = 5.0
"""Seconds until a line that never falls silent is given up."""
REACTION, FAST_REACTION = 0.2, 0.02
"""Seconds between what a meter said and our answer; those whose maker's third letter is small take the short one."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a model wants to be talked to; see the options of a profile."""

    mode: Mode = "auto"
    speed: int = 300
    stay: bool = False
    wake_up: bool = False
    bcc: Bcc = "required"
    option: str = "00"


@dataclass(frozen=True, slots=True)
class Timing:
    """Deadlines in seconds: `answer` until the first character of an answer, `gap` between its characters."""

    answer: float = 2.0
    gap: float = 1.5


@dataclass(frozen=True, slots=True)
class Send:
    """Write bytes."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Hear:
    """Await bytes, for so many seconds."""

    within: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait, whatever comes."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Quiet:
    """Wait until nothing came for `seconds`, dropping what comes; raises NoAnswer after `patience`."""

    seconds: float = QUIET
    patience: float = PATIENCE


@dataclass(frozen=True, slots=True)
class Switch:
    """Change speed and framing once all has been sent; `at_once` for meters that react within 20 ms."""

    baud: int
    characters: str
    at_once: bool = False


Step = Send | Hear | Pause | Quiet | Switch
T = TypeVar("T")
Script = Generator[Step, bytes, T]


class Session:
    """One conversation; `open` tells that the meter awaits a `BREAK` before it falls back to its first speed."""

    def __init__(
        self, manner: Manner, address: str = "", characters: str = "7E1", timing: Timing | None = None
    ) -> None:
        """Prepare to talk to one meter; `characters` is its framing, `address` its device address, if it needs one."""
        self.open = False
        self._manner = manner
        self._address = address
        self._characters = characters
        self._timing = timing or Timing()
        self._reader = Reader(manner.bcc)
        self._echo = Echo()
        self._speed = manner.speed
        self._leaving = 0.0
        self._messages: deque[Message] = deque()

    @property
    def counters(self) -> dict[str, int]:
        """What was left out, by reason."""
        return self._reader.counters

    def read_list(self) -> Script[ReadOut]:
        """Have the meter say its list; raises NoAnswer, DecodeError, Refused."""
        said = yield from self._sign_on()
        mode = said.mode if self._manner.mode == "auto" else self._manner.mode
        if mode == "C":
            yield from self._accept(said, *self._manner.option)
        elif mode == "B":
            self.open = True
            yield from self._switch(said)
        block = yield from self._expect(Block, "no list came", _SPEED_HINT)
        self.open = False
        return ReadOut(said, block)

    def read_registers(
        self, ask: Ask, names: Sequence[str], password: bytes | None = None, level: Literal["P1", "P2"] = "P1"
    ) -> Script[ReadOut]:
        """Ask for each register in programming mode; one that the meter does not have is left out.

        Raises Refused for a password the meter does not take, NoAnswer, DecodeError.
        """
        self._reader = Reader()
        said = yield from self._sign_on()
        self._reader.awaits = "answers"
        yield from self._accept(said, self._manner.option[0], "1")
        yield from self._expect(Command, "no request for a password came", _SPEED_HINT)
        if password is not None:
            yield from self._send(command(level, b"(" + password + b")"))
            yield from self._expect(Signal, "silence after the password", _PASSWORD_HINT)
        sets: list[DataSet] = []
        for name in names:
            sets += yield from self._register(ask, name)
        yield from self._send(BREAK)
        self.open = False
        if not sets:
            raise Refused("the meter has none of the registers", "does the profile fit, and does it want a password?")
        return ReadOut(said, Block(tuple(sets), "right"))

    def hand_over(self) -> Script[Identification]:
        """Agree on HDLC (mode E) and switch to the speed agreed on; the line is the caller's then."""
        said = yield from self._sign_on()
        yield from self._accept(said, "2", "2", "8N1")
        self.open = False
        return said

    # --- the parts of a conversation ---------------------------------------------------------------------------------

    def _sign_on(self) -> Script[Identification]:
        if self._manner.wake_up:
            yield Send(bytes(int(WAKE_UP * self._manner.speed / BITS)))
            yield Pause(WAKE_UP + AFTER_WAKE_UP)
        yield Quiet()
        yield from self._send(sign_on(self._address))
        return (yield from self._expect(Identification, "silence", _HEAD_HINT))

    def _accept(self, said: Identification, protocol: str, mode: str, characters: str | None = None) -> Script[None]:
        yield Pause(FAST_REACTION if said.is_fast else REACTION)
        speed = said.speed if said.mode == "C" else "0"
        if self._manner.stay:
            speed = next((char for char, baud in SPEEDS.items() if baud == self._manner.speed), "0")
        self.open = True
        yield from self._send(option(protocol, speed, mode))
        yield from self._switch(said, characters)

    def _switch(self, said: Identification, characters: str | None = None) -> Script[None]:
        """Follow the meter's offer, and change the framing where one is given."""
        speed = self._manner.speed if self._manner.stay else said.baud or self._manner.speed
        if speed != self._speed or characters:
            # In mode B nothing of ours is on its way any more.
            at_once = said.is_fast or said.mode == "B"
            self._speed, self._leaving = speed, 0.0
            yield Switch(speed, characters or self._characters, at_once)

    def _register(self, ask: Ask, name: str) -> Script[list[DataSet]]:
        """Ask for one register, block by block where the meter cuts it; none where it has none."""
        yield from self._send(command(ask, (name if name.endswith(")") else f"{name}()").encode("ascii")))
        sets: list[DataSet] = []
        while True:
            block = yield from self._expect(Block, f"silence when asked for {name}", "does the meter know this code?")
            sets += block.sets
            if not block.partial:
                break
            yield from self._send(ACK)
        if not sets or sets[0].value.upper().startswith("ER"):
            self._reader.counters["missing_register"] += 1
            return []
        if not sets[0].address:
            sets[0] = replace(sets[0], address=name.partition("(")[0])
        return sets

    def _send(self, data: bytes) -> Script[None]:
        self._messages.clear()
        self._echo.expect(data)
        self._leaving = len(data) * BITS / self._speed
        yield Send(data)

    def _expect(self, kind: type[T], silence: str, hint: str) -> Script[T]:
        """Hear until a message of this kind comes; raises NoAnswer, DecodeError, Refused."""
        heard = 0
        while True:
            while self._messages:
                message = self._messages.popleft()
                if isinstance(message, kind) and not _is_no(message):
                    return message
                if isinstance(message, Damaged):
                    raise DecodeError(f"the answer came broken: {_REASONS[message.reason]}", _BROKEN_HINT)
                if _is_no(message):
                    raise Refused("the meter said no", _PASSWORD_HINT)
            data = yield Hear(self._timing.gap if heard else self._timing.answer + self._leaving)
            if not data:
                raise NoAnswer(f"{heard} characters came, but not all of an answer" if heard else silence, hint)
            answer = self._echo.take_from(data)
            heard += len(answer)
            self._messages.extend(self._reader.feed(answer))


def _is_no(message: object) -> bool:
    return (isinstance(message, Signal) and not message.right) or (
        isinstance(message, Command) and message.code == "B0"
    )


_HEAD_HINT = "does the head sit right, its cable to the meter's side told; a meter with a battery wants wake_up = true"
_SPEED_HINT = "the meter may not follow its own offer of a speed: try stay = true in the profile"
_PASSWORD_HINT = "check password_file, and its level in the profile: P1 or P2"  # noqa: S105  a hint, not a password
_BROKEN_HINT = "check the head's seat and framing; bcc in the profile says what a meter without check characters does"
_REASONS = {
    "bad_bcc": "wrong check character",
    "bad_parity": "a character with wrong parity",
    "malformed": "not every line is a data set",
    "cut": "it ends too early",
    "too_long": "it never ends",
}
