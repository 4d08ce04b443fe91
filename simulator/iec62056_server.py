"""An electricity meter with an optical head (IEC 62056-21): asked in modes A, B and C, or talking by itself in mode D.

1. `/?!` or `/?ADDRESS!` at any time begins anew, at the first speed: the meter names itself and the speed it offers.
2. Mode A says its list at once, B at the speed offered, C after the reader has accepted a speed.
3. In programming mode it asks for the password (P0), and answers R1 to R6 until B0 comes.
4. A pty knows no speed, so on a paced line the meter keeps to the speed agreed on by itself, character by character.

It writes its messages by itself: nothing of the driver's codec is used here, so that neither is the other's witness.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from simulator.place import Place, Placed
from simulator.serving import Send, Session

REACTION = 0.2
CHUNK = 0.02
"""Seconds of the line that go out together."""
BITS = 10
"""Of a character of 7E1: start, seven, parity, stop."""
REQUEST_LIMIT = 256

_BAUDS = {"0": 300, "1": 600, "2": 1200, "3": 2400, "4": 4800, "5": 9600, "6": 19200}
_BAUDS_B = {"A": 600, "B": 1200, "C": 2400, "D": 4800, "E": 9600, "F": 19200}
_SIGN_ON = re.compile(rb"/\?([0-9A-Za-z ]*)!\r\n")
_OPTION = re.compile(rb"\x06([0-9])([0-9])([0-9])\r\n")
_COMMAND = re.compile(rb"\x01([A-Z][0-9])(?:\x02([^\x03]*))?\x03(.)", re.DOTALL)
_BODY = re.compile(r"([^()]*)\(([^()]*)\)")

Values = Callable[[], Mapping[str, str]]
"""Gives `{"1.8.0": "012345.678*kWh"}`."""


def line(place: Place) -> Placed:
    """Serve the one meter below an optical head; raises SimulatorError."""
    place.no_gateway()
    meter = place.only_meter()
    manner, baud = place.models[0].layout.manner, place.table.baud
    model = Model(
        "C" if manner.mode == "auto" else manner.mode,
        "E" if manner.mode == "B" else "5",
        first_baud=baud or manner.speed,
        framed=manner.bcc != "absent",
        obeys=not manner.stay,
        address=str(meter.address or ""),
    )
    values = place.values(meter)
    server = Iec62056Server(model, lambda: values_of(values()), paced=baud is not None)
    return Placed(server, None if model.mode == "D" else 0, keeps_pace=True)


@dataclass(frozen=True, slots=True)
class Model:
    """What kind of meter it is. `obeys` is False for those that offer a speed and stay at the first one."""

    mode: Literal["A", "B", "C", "D"] = "C"
    speed: str = "5"
    first_baud: int = 300
    framed: bool = True
    obeys: bool = True
    address: str = ""
    password: str | None = None
    every: float = 2.0
    maker: str = "NBD"
    type: str = "SIMULATED"

    @property
    def identification(self) -> str:
        """The first line it says."""
        return f"/{self.maker}{self.speed}{self.type}\r\n"


def bcc(text: str) -> str:
    """Give the check character of what follows STX or SOH."""
    total = 0
    for char in text:
        total ^= ord(char)
    return chr(total)


def list_of(model: Model, values: Mapping[str, str]) -> str:
    """Write the list as the meter says it, behind its identification."""
    body = "".join(f"{code}({value})\r\n" for code, value in values.items()) + "!\r\n"
    return f"\x02{body}\x03{bcc(body + chr(3))}" if model.framed else body


def values_of(home: Mapping[str, float]) -> Mapping[str, str]:
    """Write what a home's meter measures; registers are cut, not rounded, as meters do."""
    values = {"F.F": "00000000", "0.0.0": "10020030"}
    for code, name in _COUNTERS.items():
        unit = "kvarh" if name.startswith("reactive") else "kWh"
        values[code] = f"{int(home[name]) / 1000:010.3f}*{unit}"
    for code, name in _POWERS.items():
        values[code] = f"{home[name] / 1000:06.3f}*kW"
    for phase in (1, 2, 3):
        values[f"{12 + 20 * phase}.7.0"] = f"{home[f'voltage_l{phase}']:05.1f}*V"
        values[f"{11 + 20 * phase}.7.0"] = f"{home[f'current_l{phase}']:06.2f}*A"
    values["14.7.0"] = f"{home['frequency']:.2f}*Hz"
    return values


_COUNTERS = {
    "1.8.0": "energy_import", "1.8.1": "energy_import_t1", "1.8.2": "energy_import_t2",
    "2.8.0": "energy_export", "2.8.1": "energy_export_t1", "2.8.2": "energy_export_t2",
    "3.8.0": "reactive_energy_import", "4.8.0": "reactive_energy_export",
}  # fmt: skip
_POWERS = {"16.7.0": "power", "1.7.0": "power_import", "2.7.0": "power_export"}


class Iec62056Server:
    """One meter; `paced` lets its characters take the time they take on a wire."""

    def __init__(self, model: Model, values: Values, *, paced: bool = False) -> None:
        self._model = model
        self._values = values
        self._paced = paced

    def open(self, send: Send) -> Session:
        """Begin a conversation, or talk to somebody who only listens."""
        kind = _Talk if self._model.mode == "D" else _Conversation
        return kind(self._model, self._values, _Voice(send, self._model.first_baud, paced=self._paced))


class _Voice:
    """Says one thing after another; `baud` is the speed of what is said next, `heard_at` of what is on the wire."""

    def __init__(self, send: Send, baud: int, *, paced: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self._send = send
        self._first = self.baud = self.heard_at = baud
        self._paced = paced
        self._free = 0.0
        self._timers: set[asyncio.TimerHandle] = set()

    def time_of(self, count: int) -> float:
        """Give the seconds so many characters take."""
        return count * BITS / self.baud if self._paced else 0.0

    def say(self, text: str, after: float = REACTION, baud: int | None = None) -> None:
        """Queue a text, so many seconds after what was said before or now; it and the next ones at `baud`."""
        data = text.encode("latin-1")
        self.baud = baud or self.baud
        at = max(self._free, self._loop.time()) + (after if self._paced else min(after, 0.001))
        size = max(int(CHUNK * self.baud / BITS), 1) if self._paced else len(data)
        for start in range(0, len(data), size):
            chunk = data[start : start + size]
            at += self.time_of(len(chunk))
            self._at(at, chunk, self.baud)
        self._free = at

    def hush(self) -> None:
        """Drop what is still to be said, and fall back to the first speed."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._free = 0.0
        self.baud = self._first

    def _at(self, when: float, chunk: bytes, baud: int) -> None:
        def out() -> None:
            self._timers.discard(timer)
            self.heard_at = baud
            self._send(chunk)

        timer = self._loop.call_at(when, out)
        self._timers.add(timer)


class _Talk:
    """A meter that says its list every few seconds."""

    def __init__(self, model: Model, values: Values, voice: _Voice) -> None:
        self._loop = asyncio.get_running_loop()
        self._model, self._values, self._voice = model, values, voice
        self._timer = self._loop.call_soon(self._talk)

    def feed(self, data: bytes) -> None:
        """It hears nothing."""

    def close(self) -> None:
        self._timer.cancel()
        self._voice.hush()

    def _talk(self) -> None:
        text = self._model.identification + "\r\n" + list_of(self._model, self._values())
        self._voice.say(text, 0.0)
        self._timer = self._loop.call_later(max(self._model.every, self._voice.time_of(len(text))), self._talk)


class _Conversation:
    """A meter that is asked."""

    def __init__(self, model: Model, values: Values, voice: _Voice) -> None:
        self._model, self._values, self._voice = model, values, voice
        self._heard = b""
        self._trusted = False

    def feed(self, data: bytes) -> None:
        """Take what the reader says; a whole request is answered."""
        self._heard = (self._heard + data)[-REQUEST_LIMIT:]
        for pattern, answer in (
            (_SIGN_ON, self._signed_on),
            (_OPTION, self._chosen),
            (_COMMAND, self._commanded),
        ):
            if found := pattern.search(self._heard):
                self._heard = self._heard[found.end() :]
                # The request itself takes its time on the wire.
                answer(found, REACTION + self._voice.time_of(found.end() - found.start()))

    def close(self) -> None:
        self._voice.hush()

    def _signed_on(self, found: re.Match[bytes], after: float) -> None:
        address = found[1].decode("ascii")
        if address and address.lstrip("0") != self._model.address.lstrip("0"):
            return
        self._voice.hush()
        self._trusted = False
        self._voice.say(self._model.identification, after)
        if self._model.mode in ("A", "B"):
            baud = _BAUDS_B.get(self._model.speed) if self._model.mode == "B" and self._model.obeys else None
            self._voice.say(list_of(self._model, self._values()), REACTION, baud)

    def _chosen(self, found: re.Match[bytes], after: float) -> None:
        protocol, speed, mode = (part.decode("ascii") for part in found.groups())
        if self._model.mode != "C" or protocol != "0":
            return
        baud = _BAUDS.get(speed) if self._model.obeys and speed != "0" else None
        if mode == "0":
            self._voice.say(list_of(self._model, self._values()), after, baud)
        elif mode == "1":
            self._trusted = self._model.password is None
            self._voice.say(_framed("\x01P0\x02()\x03"), after, baud)

    def _commanded(self, found: re.Match[bytes], after: float) -> None:
        text = found[0].decode("latin-1")
        code, body = found[1].decode("ascii"), (found[2] or b"").decode("latin-1")
        if bcc(text[1:-1]) != text[-1]:
            self._voice.say("\x15", after)
        elif code == "B0":
            self._voice.hush()
        elif code in ("P1", "P2"):
            self._trusted = self._model.password is None or body == f"({self._model.password})"
            self._voice.say("\x06" if self._trusted else _framed("\x01B0\x03"), after)
        elif code.startswith("R"):
            self._voice.say(self._register(body), after)

    def _register(self, body: str) -> str:
        asked = _BODY.fullmatch(body)
        value = self._values().get(asked[1]) if asked and self._trusted else None
        return _framed(f"\x02({'ER01' if value is None else value})\x03")


def _framed(text: str) -> str:
    return text + bcc(text[1:])
