"""What the values beside the registers say of themselves, reading by reading: V13, V14, V16.

Remarks that follow one another are joined into one from the first reading to the last.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from drivers.contract import Number
from drivers.quantities import BY_KEY
from gateway.check.register import step_of
from gateway.check.sentinels import is_sentinel
from gateway.check.words import Flag, Remark

REPEATS, DIGITS = 30, 4
"""So many polls with the very same value of so many digits are no measurement any more (V13)."""
MOVING_W = 50.0
STILL_MS = 900_000
STILL_STEPS = 2
STILL_POLLS = 3
"""A register must have had the power to move by two of its steps before standing still is a fault: one of whole kWh
rests for hours at 60 W. And two polls say nothing of the time between them (V13)."""
SUM_SHARE, SUM_W = 0.02, 5.0
"""Phases may miss their total by 2 %, or by what rounding four values to a watt and reading them one after another
makes of small ones (V16)."""
LOW_V, HIGH_V = 0.8 * 230, 1.2 * 230

_W_MS = 3_600_000
"""Milliseconds of a watt that make a watt hour."""

_PHASES = ("power_l1_w", "power_l2_w", "power_l3_w")
_VOLTAGES = ("voltage_v", "voltage_l1_v", "voltage_l2_v", "voltage_l3_v")
_REPEATING = frozenset(
    key for key, row in BY_KEY.items() if row.kind == "gauge" and row.unit in ("W", "V", "A", "var", "VA", "l/h")
)
_PUSHES = {"energy_import_wh": "power_w"}


class Gauges:
    """Judges the readings of one meter; goes on from another's `snapshot`."""

    def __init__(self, meter: str, snapshot: Mapping[str, Any] | None = None) -> None:
        kept = snapshot or {}
        self._meter = meter
        self._repeats: dict[str, list[Any]] = {key: list(row) for key, row in kept.get("repeats", {}).items()}
        self._still: dict[str, list[Any]] = {key: list(row) for key, row in kept.get("still", {}).items()}
        self._last: int = kept.get("last", 0)
        self._open: dict[tuple[str, Flag], Remark] = {}
        self._done: list[Remark] = []

    def snapshot(self) -> dict[str, Any]:
        """Give what the next day goes on from, as plain data."""
        return {"repeats": self._repeats, "still": self._still, "last": self._last}

    def remarks(self) -> list[Remark]:
        """Give what was noticed."""
        return [*self._done, *self._open.values()]

    def take(self, ts: int, values: Mapping[str, Number], absent: Sequence[str] = ()) -> None:
        """Judge one reading; `absent` are keys whose value was no number."""
        noticed: dict[tuple[str, Flag], int] = {(key, "na"): ts for key in absent}
        for key, value in values.items():
            quantity = BY_KEY.get(key)
            if quantity is None or quantity.kind != "gauge":
                continue
            if is_sentinel(value):
                noticed[key, "na"] = ts
            elif key in _REPEATING and (since := self._repeated(key, ts, float(value))) is not None:
                noticed[key, "stuck"] = since
        for key, push in _PUSHES.items():
            if key in values and push in values and (since := self._stands(key, ts, values[key], values[push])):
                noticed[key, "stuck"] = since
        noticed |= {(key, "relat"): ts for key in _unrelated(values)}
        self._note(ts, noticed)
        self._last = ts

    def _repeated(self, key: str, ts: int, value: float) -> int | None:
        """Count polls with the same value, and give since when once they are too many."""
        run = self._repeats.get(key)
        if run is None or run[0] != value:
            decimals = max(_decimals(value), run[3] if run is not None else 0)
            self._repeats[key] = [value, ts, 1, decimals]
            return None
        run[2] += 1
        return run[1] if run[2] >= REPEATS and value and _whole_digits(value) + run[3] >= DIGITS else None

    def _stands(self, key: str, ts: int, value: Number, power: Number) -> int | None:
        """Give since when a register stands still although the power should have moved it."""
        run = self._still.get(key)
        pace = ts - self._last if self._last else 0
        if run is None or run[0] != value or power <= MOVING_W or pace > max(STILL_MS, 2 * run[4]):
            step = 1.0 if run is None else run[3] if run[0] == value else step_of(value, run[0])
            self._still[key] = [float(value), ts, 0.0, step, pace, float(power), 1]
            return None
        run[2] += min(float(power), run[5]) * pace / _W_MS
        run[5:] = float(power), run[6] + 1
        long = ts - run[1] >= STILL_MS and run[6] >= STILL_POLLS
        return run[1] if long and run[2] >= STILL_STEPS * run[3] else None

    def _note(self, ts: int, noticed: Mapping[tuple[str, Flag], int]) -> None:
        for at in [at for at in self._open if at not in noticed]:
            self._done.append(self._open.pop(at))
        for (key, flag), since in noticed.items():
            before = self._open.get((key, flag))
            start = before.start if before is not None else since
            self._open[key, flag] = Remark(self._meter, key, flag, start, ts)


def _unrelated(values: Mapping[str, Number]) -> list[str]:
    """Name what cannot be true together, or not in any house (V16)."""
    wrong = [
        key for key in _VOLTAGES if key in values and not LOW_V <= values[key] <= HIGH_V and _connected(key, values)
    ]
    if "power_w" in values and all(key in values for key in _PHASES):
        total = float(values["power_w"])
        if abs(sum(float(values[key]) for key in _PHASES) - total) > max(SUM_SHARE * abs(total), SUM_W):
            wrong.append("power_w")
    return wrong


def _connected(key: str, values: Mapping[str, Number]) -> bool:
    """Tell whether a phase is there at all: a three-phase meter of a flat shows 0 V where nothing is connected."""
    return key == "voltage_v" or bool(values[key]) or bool(values.get(key.replace("voltage", "current")[:-1] + "a"))


def _decimals(value: float) -> int:
    return len(str(value).partition(".")[2]) if not value.is_integer() else 0


def _whole_digits(value: float) -> int:
    return len(str(abs(int(value)))) if abs(value) >= 1 else 0
