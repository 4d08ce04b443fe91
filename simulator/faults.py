"""What goes wrong on real lines, put between a meter's server and its client: each fault by dice or by script.

A fault looks at each request (at each telegram, for meters that talk by themselves) and fires with its probability,
within its window of time, at most `times` times, and for one unit only where it names one.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Literal, get_args

from drivers.modbus.codec import crc16
from simulator.serving import Send, Server, Session

Kind = Literal["silence", "late", "noise", "flip", "echo", "foreign", "babble"]
"""silence: no answer, with probability 1 a dead meter · late: the answer comes `seconds` later · noise: `size` random
bytes before it · flip: one bit of it turned · echo: the request comes back first · foreign: the same answer first, in
another unit's name · babble: `size` random bytes instead of it"""
KINDS: tuple[Kind, ...] = get_args(Kind)

RTU_UNIT = 0
"""Where the unit stands in an RTU frame; in a Modbus TCP frame it is byte 6."""
TCP_UNIT = 6


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong; `after` and `until` are unix times of the simulator's clock."""

    kind: Kind
    probability: float = 1.0
    times: int | None = None
    unit: int | None = None
    after: float = 0.0
    until: float = inf
    seconds: float = 0.5
    size: int = 3


class Faults:
    """Dice and script of one line; `fired` counts what happened, by the fault's place in the list."""

    def __init__(self, faults: Iterable[Fault], seed: int, clock: Callable[[], float]) -> None:
        self.dice = Random(f"{seed} faults")
        self._faults = tuple(faults)
        self._clock = clock
        self.fired = [0] * len(self._faults)

    def throw(self, unit: int | None) -> list[Fault]:
        """Tell which faults happen to the next answer, in the order they were given."""
        now = self._clock()
        happening = []
        for index, fault in enumerate(self._faults):
            meant = fault.unit in (None, unit) and fault.after <= now < fault.until
            spent = fault.times is not None and self.fired[index] >= fault.times
            if meant and not spent and self.dice.random() < fault.probability:
                self.fired[index] += 1
                happening.append(fault)
        return happening


class Faulty:
    """A server whose answers suffer; `unit_at` is the unit's place in a request, None where meters talk unasked."""

    def __init__(self, server: Server, faults: Faults, unit_at: int | None = RTU_UNIT) -> None:
        self._server = server
        self._faults = faults
        self._unit_at = unit_at

    def open(self, send: Send) -> Session:
        """Begin a conversation in which things go wrong."""
        return _Suffering(self._server, self._faults, self._unit_at, send)


class _Suffering:
    def __init__(self, server: Server, faults: Faults, unit_at: int | None, send: Send) -> None:
        self._loop = asyncio.get_running_loop()
        self._faults = faults
        self._unit_at = unit_at
        self._out = send
        self._happening: Sequence[Fault] = ()
        self._late: set[asyncio.TimerHandle] = set()
        self._session = server.open(self._send)

    def feed(self, data: bytes) -> None:
        if self._unit_at is not None:
            unit = data[self._unit_at] if len(data) > self._unit_at else None
            self._happening = self._faults.throw(unit)
        kinds = {fault.kind for fault in self._happening}
        if "echo" in kinds:
            self._out(data)
        if "silence" not in kinds:
            self._session.feed(data)

    def close(self) -> None:
        for timer in self._late:
            timer.cancel()
        self._session.close()

    def _send(self, data: bytes) -> None:
        delay = 0.0
        for fault in self._happening if self._unit_at is not None else self._faults.throw(None):
            data = _spoil(data, fault, self._faults.dice)
            delay += fault.seconds * (fault.kind == "late")
        if delay:
            self._late = {timer for timer in self._late if not timer.cancelled() and timer.when() > self._loop.time()}
            self._late.add(self._loop.call_later(delay, self._out, data))
        elif data:
            self._out(data)


def _spoil(data: bytes, fault: Fault, dice: Random) -> bytes:
    return _SPOILERS[fault.kind](data, fault, dice) if data and fault.kind in _SPOILERS else data


def _flip(data: bytes, _fault: Fault, dice: Random) -> bytes:
    place, bit = dice.randrange(len(data)), 1 << dice.randrange(8)
    return data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]


def _foreign(data: bytes, _fault: Fault, _dice: Random) -> bytes:
    """Say it in the name of the next unit first, with a checksum that is right."""
    other = bytes([data[0] % 247 + 1]) + data[1:-2]
    return other + crc16(other) + data


_SPOILERS: dict[Kind, Callable[[bytes, Fault, Random], bytes]] = {
    "silence": lambda _data, _fault, _dice: b"",
    "noise": lambda data, fault, dice: dice.randbytes(fault.size) + data,
    "babble": lambda _data, fault, dice: dice.randbytes(fault.size),
    "flip": _flip,
    "foreign": _foreign,
}
