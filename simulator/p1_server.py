"""A smart meter with a P1 port: a DSMR 5 telegram every second, its M-Bus sub-meters in it.

A sub-meter hands its register over every five minutes; until the next time the telegram repeats the old value with the
old timestamp.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from drivers.p1.codec import encode
from simulator.households import Channel, Household
from simulator.serving import Send, Session

IDENTIFICATION = "NBD5\\2SIMULATED"
SUB_METER_STEP = 300
_DEVICE_TYPES: Mapping[Channel, str] = {"gas": "003", "water": "007"}

Submeters = Mapping[int, tuple[Channel, Household]]
"""What hangs on which M-Bus channel, 1 to 4."""


def telegram(home: Household, submeters: Submeters, time: float, zone: ZoneInfo) -> bytes:
    """Give what the meter says at a unix time."""
    lines = [*_electricity(home.at("electricity", time), _stamp(time, zone))]
    for channel, (kind, household) in sorted(submeters.items()):
        taken = time // SUB_METER_STEP * SUB_METER_STEP
        volume = household.at(kind, taken)[f"{kind}_volume"] / 1000
        lines += [
            f"0-{channel}:24.1.0({_DEVICE_TYPES[kind]})",
            f"0-{channel}:96.1.0({_hex(f'SIM{kind.upper():0>10}{channel}')})",
            f"0-{channel}:24.2.1({_stamp(taken, zone)})({_cut(volume):09.3f}*m3)",
        ]
    return encode(IDENTIFICATION, lines)


def _electricity(values: Mapping[str, float], stamp: str) -> Iterator[str]:
    yield "1-3:0.2.8(50)"
    yield f"0-0:1.0.0({stamp})"
    yield f"0-0:96.1.1({_hex('SIM0000000001')})"
    for code, name in _COUNTERS.items():
        yield f"{code}({_cut(values[name] / 1000):010.3f}*kWh)"
    yield f"0-0:96.14.0({'0001' if values['low_tariff'] else '0002'})"
    for code, name in _POWERS.items():
        yield f"{code}({values[name] / 1000:06.3f}*kW)"
    yield "0-0:96.13.0()"
    for number in range(3):
        yield f"1-0:{32 + 20 * number}.7.0({values[f'voltage_l{number + 1}']:05.1f}*V)"
    for number in range(3):
        yield f"1-0:{31 + 20 * number}.7.0({values[f'current_l{number + 1}']:06.2f}*A)"


_COUNTERS = {
    "1-0:1.8.1": "energy_import_t1",
    "1-0:1.8.2": "energy_import_t2",
    "1-0:2.8.1": "energy_export_t1",
    "1-0:2.8.2": "energy_export_t2",
}
_POWERS = {
    "1-0:1.7.0": "power_import",
    "1-0:2.7.0": "power_export",
    **{f"1-0:{20 * n + 1}.7.0": f"power_import_l{n}" for n in (1, 2, 3)},
    **{f"1-0:{20 * n + 2}.7.0": f"power_export_l{n}" for n in (1, 2, 3)},
}


def _stamp(time: float, zone: ZoneInfo) -> str:
    local = datetime.fromtimestamp(time, zone)
    return f"{local:%y%m%d%H%M%S}{'S' if local.dst() else 'W'}"


def _hex(text: str) -> str:
    return text.encode("ascii").hex().upper()


def _cut(value: float) -> float:
    """Cut a register at three decimals, as meters do: rounding up would count what has not gone through yet."""
    return int(value * 1000) / 1000


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
