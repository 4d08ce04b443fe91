"""A smart meter with a P1 port: a telegram every second in the form of its country, its M-Bus sub-meters in it.

A sub-meter hands its register over every five minutes; until the next time the telegram repeats the old value with the
old timestamp.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from simulator.households import Channel, Household
from simulator.p1_forms import FORMS, OLD_GAS, Form, cut, finish
from simulator.serving import Send, Session

SUB_METER_STEP = 300
_DEVICE_TYPES: Mapping[Channel, str] = {"electricity": "002", "gas": "003", "water": "007"}

Submeters = Mapping[int, tuple[Channel, Household]]
"""What hangs on which M-Bus channel, 1 to 4."""


def telegram(home: Household, submeters: Submeters, time: float, zone: ZoneInfo, form: Form = FORMS["dsmr5"]) -> bytes:
    """Give what the meter says at a unix time."""
    lines = [*_electricity(home.at("electricity", time), _stamp(time, zone), form)]
    for channel, (kind, household) in sorted(submeters.items()):
        taken = time // SUB_METER_STEP * SUB_METER_STEP
        lines += [
            f"0-{channel}:24.1.0({_DEVICE_TYPES[kind]})",
            f"0-{channel}:96.1.0({_hex(f'SIM{kind.upper():0>10}{channel}')})",
            _captured(channel, kind, household.at(kind, taken), _stamp(taken, zone), form),
        ]
    return finish(form, lines)


def _electricity(values: Mapping[str, float], stamp: str, form: Form) -> Iterator[str]:
    yield f"0-0:1.0.0({stamp})"
    yield f"0-0:96.1.1({_hex('SIM0000000001')})"
    yield f"0-0:96.14.0({'0001' if values['low_tariff'] else '0002'})"
    yield "0-0:96.13.0()"
    for code, name in form.codes.items():
        yield form.number(code, values[name])


def _captured(channel: int, kind: Channel, values: Mapping[str, float], stamp: str, form: Form) -> str:
    """Write a sub-meter's register with its own time."""
    if kind == "electricity":
        return f"0-{channel}:24.2.1({stamp})({cut(values['energy_import'] / 1000, 3):010.3f}{form.star}kWh)"
    volume = f"{cut(values[f'{kind}_volume'] / 1000, 3):09.3f}"
    if kind == "gas" and form.gas == OLD_GAS:
        return f"0-{channel}:{OLD_GAS}({stamp[:-1]})(00)(60)(1)(0-{channel}:24.2.1)(m3)\r\n({volume})"
    return f"0-{channel}:{form.gas if kind == 'gas' else '24.2.1'}({stamp})({volume}{form.star}m3)"


def _stamp(time: float, zone: ZoneInfo) -> str:
    local = datetime.fromtimestamp(time, zone)
    return f"{local:%y%m%d%H%M%S}{'S' if local.dst() else 'W'}"


def _hex(text: str) -> str:
    return text.encode("ascii").hex().upper()


class P1Server:
    """Says its telegram to everyone on the line, every `every` seconds, as long as anyone is there."""

    def __init__(self, say: Callable[[], bytes], every: float = 1.0) -> None:
        self._say = say
        self._every = every
        self._listeners: set[Send] = set()
        self._timer: asyncio.TimerHandle | None = None

    def open(self, send: Send) -> Session:
        """Add a listener; what it says is not heard."""
        self._listeners.add(send)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(loop.time(), self._talk, loop, loop.time())
        return _Listener(self, send)

    def leave(self, send: Send) -> None:
        """Take a listener away; with the last one the meter falls silent."""
        self._listeners.discard(send)
        if not self._listeners and self._timer:
            self._timer.cancel()
            self._timer = None

    def _talk(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        # A machine that slept says the next telegram, not all those it missed.
        due = max(due + self._every, loop.time())
        self._timer = loop.call_at(due, self._talk, loop, due)
        said = self._say()
        for send in tuple(self._listeners):
            send(said)


class _Listener:
    def __init__(self, server: P1Server, send: Send) -> None:
        self._server = server
        self._send = send

    def feed(self, data: bytes) -> None:
        """A P1 port has no way in."""

    def close(self) -> None:
        self._server.leave(self._send)
