"""Faults of meters and of what reads them: each takes a register's readings, and gives them changed, with the label.

Readings strictly between the span's two moments are affected; what comes from its end on is what a meter shows after.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable

from simulator.year.label import Label, Span, label_of
from simulator.year.series import Register

Told = tuple[Register, Label]
Fault = Callable[[Register, Span], Told]


def offline(register: Register, span: Span) -> Told:
    """Silence a meter that goes on counting: its next reading brings all that was missed."""
    return _silent(register, span), label_of(register.meter, "offline", span, "meter_offline")


def outage(register: Register, span: Span) -> Told:
    """Silence a meter since there is no power, as every meter of the home; only that of electricity shows why."""
    expect = "outage" if register.key == "energy_import_wh" else "may:meter_offline"
    return _silent(register, span), label_of(register.meter, "outage", span, expect)


def catch_up(register: Register, span: Span) -> Told:
    """Let an old value be told again and again, and then all at once what was counted meanwhile."""
    first, last = _inside(register, span)
    return _changed(register, first, last, moved=0), label_of(register.meter, "catch_up", span)


def stuck(register: Register, span: Span) -> Told:
    """Let a register stand still; what goes through meanwhile is never counted."""
    first, last = _inside(register, span)
    lost = _before(register, last) - _before(register, first)
    label = label_of(register.meter, "stuck", span, "zero_consumption", lost=lost)
    return _changed(register, first, last, moved=-lost), label


def register_reset(register: Register, span: Span) -> Told:
    """Let a register begin again at zero."""
    _, last = _inside(register, span)
    label = label_of(register.meter, "register_reset", span, "register_reset")
    return _changed(register, last, last, moved=-_before(register, last)), label


def replaced(register: Register, span: Span, *, start: int) -> Told:
    """Put another meter in its place: a gap, and then a register that begins at `start`."""
    register = _silent(register, span)
    _, last = _inside(register, span)
    label = label_of(register.meter, "replacement", span, "register_reset", first=start)
    return _changed(register, last, last, moved=start - register.values[min(last, len(register.values) - 1)]), label


def reverse(register: Register, span: Span, *, back: int) -> Told:
    """Let a register fall by so many units, yet not below zero, at the end of the span."""
    _, last = _inside(register, span)
    back = min(back, _before(register, last))
    label = label_of(register.meter, "reverse", span, "reverse_flow", back=back)
    return _changed(register, last, last, moved=-back), label


def duplicates(register: Register, span: Span) -> Told:
    """Deliver every reading twice."""
    first, last = _inside(register, span)
    times, values = (
        [*row[:first], *(cell for cell in row[first:last] for _ in range(2)), *row[last:]]
        for row in (register.times, register.values)
    )
    return _of(register, times, values), label_of(register.meter, "duplicates", span)


def clock_drift(register: Register, span: Span, *, most: int) -> Told:
    """Let the clock that stamps readings run ahead, by `most` seconds at the end, and then be set right."""
    first, last = _inside(register, span)
    length = max(span.end - span.start, 1)
    late = [moment + most * (moment - span.start) // length for moment in register.times[first:last]]
    times = [*register.times[:first], *late, *register.times[last:]]
    return _of(register, times, register.values), label_of(register.meter, "clock_drift", span, seconds=most)


def _inside(register: Register, span: Span) -> tuple[int, int]:
    return bisect_right(register.times, span.start), bisect_left(register.times, span.end)


def _before(register: Register, index: int) -> int:
    return register.values[max(index - 1, 0)]


def _silent(register: Register, span: Span) -> Register:
    first, last = _inside(register, span)
    times, values = register.times, register.values
    return _of(register, times[:first] + times[last:], values[:first] + values[last:])


def _changed(register: Register, first: int, last: int, *, moved: int) -> Register:
    """Hold the value before `first` until `last`, and move all values from there on."""
    values = register.values
    held = [_before(register, first)] * (last - first)
    after = [value + moved for value in values[last:]] if moved else values[last:]
    return _of(register, register.times, [*values[:first], *held, *after])


def _of(register: Register, times: list[int], values: list[int]) -> Register:
    return Register(register.meter, register.key, times, values)
