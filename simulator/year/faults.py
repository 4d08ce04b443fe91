"""Faults of meters and of what reads them: each takes a register's readings, and gives them changed, with the label."""

from collections.abc import Callable

from simulator.year.label import Label, Span, label_of
from simulator.year.series import Register

Told = tuple[Register, Label]
Reading = tuple[int, int]


def offline(register: Register, span: Span) -> Told:
    """Silence a meter that goes on counting: its next reading brings all that was missed."""
    return _without(register, span), label_of(register.meter, "offline", span, "meter_offline")


def outage(register: Register, span: Span) -> Told:
    """Silence a meter since there is no power; every meter of the home is silent then."""
    return _without(register, span), label_of(register.meter, "outage", span, "outage")


def catch_up(register: Register, span: Span) -> Told:
    """Let old values be told again and again, and then all at once what was counted meanwhile."""
    held = _at(register, span.start)
    return _mapped(register, lambda t, v: held if _within(t, span) else v), label_of(register.meter, "catch_up", span)


def stuck(register: Register, span: Span) -> Told:
    """Let a register stand still; what goes through meanwhile is never counted."""
    held, after = _at(register, span.start), _at(register, span.end)
    lost = after - held
    shown = _mapped(register, lambda t, v: held if _within(t, span) else v - lost if t >= span.end else v)
    return shown, label_of(register.meter, "stuck", span, "zero_consumption", lost=lost)


def register_reset(register: Register, span: Span) -> Told:
    """Let a register begin again at zero."""
    before = _at(register, span.end)
    shown = _mapped(register, lambda t, v: v - before if t >= span.end else v)
    return shown, label_of(register.meter, "register_reset", span, "register_reset")


def replaced(register: Register, span: Span, *, first: int) -> Told:
    """Put another meter in its place: a gap, and then a register that begins at `first`."""
    before = _at(register, span.end)
    shown = _mapped(_without(register, span), lambda t, v: v - before + first if t >= span.end else v)
    return shown, label_of(register.meter, "replacement", span, "register_reset", first=first)


def reverse(register: Register, span: Span, *, back: int) -> Told:
    """Let a register fall by so many units at the end of the span."""
    shown = _mapped(register, lambda t, v: v - back if t >= span.end else v)
    return shown, label_of(register.meter, "reverse", span, "reverse_flow", back=back)


def duplicates(register: Register, span: Span) -> Told:
    """Deliver every reading twice."""
    pairs = [pair for pair in _pairs(register) for _ in range(2 if _within(pair[0], span) else 1)]
    return _of(register, pairs), label_of(register.meter, "duplicates", span)


def clock_drift(register: Register, span: Span, *, most: int) -> Told:
    """Let the clock that stamps readings run ahead, by `most` seconds at the end, and then be set right."""

    def shifted(moment: int) -> int:
        return moment + most * (moment - span.start) // (span.end - span.start) if _within(moment, span) else moment

    pairs = [(shifted(moment), value) for moment, value in _pairs(register)]
    return _of(register, pairs), label_of(register.meter, "clock_drift", span, seconds=most)


def _without(register: Register, span: Span) -> Register:
    return _of(register, [pair for pair in _pairs(register) if not _within(pair[0], span)])


def _mapped(register: Register, change: Callable[[int, int], int]) -> Register:
    return _of(register, [(moment, change(moment, value)) for moment, value in _pairs(register)])


def _within(moment: int, span: Span) -> bool:
    return span.start < moment < span.end


def _at(register: Register, moment: int) -> int:
    """Give the last value up to a moment, or the first of all."""
    before = [value for when, value in _pairs(register) if when <= moment]
    return before[-1] if before else register.values[0]


def _pairs(register: Register) -> list[Reading]:
    return list(zip(register.times, register.values, strict=True))


def _of(register: Register, pairs: list[Reading]) -> Register:
    return Register(register.meter, register.key, [moment for moment, _ in pairs], [value for _, value in pairs])
