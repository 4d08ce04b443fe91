"""Checks every reading as it comes: constant work and state a register, the same at the edge and in a replay."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

from drivers.contract import Number
from drivers.quantities import BY_KEY
from gateway.check.limits import Limits
from gateway.check.register import Register
from gateway.check.words import Flag, Interval, Remark
from gateway.message import METER_FLAG, SUSPECT

_KEY_SETS = 256
"""Sets of keys remembered; a gateway's meters have a handful each."""


class Checker:
    """Checks the counters of a gateway's meters; its state is as bounded as the configuration's meters.

    `remarks` counts what was out of the ordinary since the start, by its word.
    """

    def __init__(self, snapshot: Mapping[str, Any] | None = None, tell: Callable[[Remark], None] | None = None) -> None:
        """Start anew, or where the `snapshot` of another one was taken; `tell` hears of all that is not ordinary."""
        self.remarks: Counter[Flag] = Counter()
        self._listener = tell
        self._counters: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._limits: dict[str, Limits] = {}
        self._meters: dict[str, dict[str, Register]] = {
            meter: {key: Register.restored(row, self._tell) for key, row in rows.items()}
            for meter, rows in (snapshot or {}).items()
        }

    def judge(
        self, meter_id: str, ts_ms: int, values: Mapping[str, Number], status: Sequence[str], limits: Limits
    ) -> tuple[int, list[Interval]]:
        """Give a reading's bits of quality and the intervals it closes; `values` stay as they are."""
        registers = self._meters.get(meter_id)
        if registers is None:
            registers = self._meters[meter_id] = {}
        if self._limits.get(meter_id) is not limits:
            self._limit(meter_id, limits)
        keys = tuple(values)
        counters = self._counters.get(keys)
        if counters is None:
            counters = self._remember(keys)
        q = METER_FLAG if status else 0
        closed: list[Interval] = []
        for key in counters:
            register = registers.get(key)
            if register is None:
                if not isfinite(values[key]):
                    self._tell(Remark(meter_id, key, "na", ts_ms, ts_ms))
                    q |= SUSPECT
                    continue
                registers[key] = register = Register(ts_ms, values[key], self._tell)
                register.limit(BY_KEY[key], limits)
            else:
                q |= register.take(meter_id, key, ts_ms, values[key], closed)
        return q, closed

    def last(self, meter_id: str, key: str) -> Number | None:
        """Give the last good value of a register; None for one that was never read."""
        register = self._meters.get(meter_id, {}).get(key)
        return None if register is None else register.value

    def forget(self, meter_id: str) -> None:
        """Let go of a meter that was taken out of the configuration, or whose replacement was confirmed."""
        self._meters.pop(meter_id, None)
        self._limits.pop(meter_id, None)

    def snapshot(self) -> dict[str, dict[str, list[Any]]]:
        """Give all state as plain data: dicts, lists, numbers, and decimals as strings."""
        return {
            meter: {key: register.snapshot() for key, register in registers.items()}
            for meter, registers in self._meters.items()
        }

    def _tell(self, remark: Remark) -> None:
        self.remarks[remark.flag] += 1
        if self._listener is not None:
            self._listener(remark)

    def _limit(self, meter_id: str, limits: Limits) -> None:
        self._limits[meter_id] = limits
        for key, register in self._meters[meter_id].items():
            register.limit(BY_KEY[key], limits)

    def _remember(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        if len(self._counters) >= _KEY_SETS:
            self._counters.clear()
        counters = tuple(key for key in keys if key in BY_KEY and BY_KEY[key].kind == "counter")
        self._counters[keys] = counters
        return counters
