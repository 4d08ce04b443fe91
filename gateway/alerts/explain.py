"""`nabd alerts explain`: the figures of one event, and whether the stored readings give the same once more; pure.

An event names its alert by rule, meter and moment, so what is computed again either bears the same key or is another
alert. Numbers are the same when they agree to nine digits: stores keep floats, meters tell decimals.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isclose
from typing import Any, Literal

from gateway.alerts.event import AlertEvent
from gateway.alerts.past import PARTLY, UNSTORED
from gateway.alerts.replay import shown
from gateway.config.spell import spell_seconds

AGREE = 1e-9
NEAR_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is the same; `differences` are sentences."""

    word: Literal["identical", "different", "not found", "not stored"]
    differences: tuple[str, ...] = ()


def judge(event: AlertEvent, found: Iterable[AlertEvent]) -> Verdict:
    """Look for an event among those that the stored readings gave."""
    if event.rule in UNSTORED:
        return Verdict("not stored", ("this rule judges what no store keeps: flags, clocks, gateways, whole days",))
    same_rule = [other for other in found if (other.rule, other.meter) == (event.rule, event.meter)]
    again = next((other for other in same_rule if other.key == event.key), None)
    if again is not None:
        differences = tuple(_differences(event.to_dict(), again.to_dict()))
        return Verdict("different", differences) if differences else Verdict("identical")
    near = [other for other in same_rule if abs(other.at - event.at) <= NEAR_MS]
    notes = [f"{other.state} at {shown(other.at)} instead ({other.key})" for other in near[:5]]
    if event.rule in PARTLY:
        notes.append("this rule also judges flags of the meter, which no store keeps")
    return Verdict("not found", tuple(notes))


def _differences(one: Mapping[str, Any], other: Mapping[str, Any], place: str = "") -> Iterator[str]:
    for name in sorted(one.keys() | other.keys()):
        was, now = one.get(name), other.get(name)
        if isinstance(was, dict) and isinstance(now, dict):
            yield from _differences(was, now, f"{place}{name}.")
        elif not _same(was, now):
            yield f"{place}{name} was {_brief(was)}, is {_brief(now)}"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(_same(*pair) for pair in zip(one, other, strict=True))
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return isclose(one, other, rel_tol=AGREE, abs_tol=AGREE)
    return bool(one == other)


def _brief(value: Any) -> str:
    return f"{len(value)} points" if isinstance(value, (list, tuple)) else "nothing" if value is None else str(value)


def lines(event: AlertEvent, options: Mapping[str, Any]) -> Iterator[str]:
    """Say an event's figures, and the options its rule has now."""
    yield f"{event.rule} at {event.meter}: {event.state}, {event.severity}, {shown(event.at)}  ({event.key})"
    yield f"  raised    {shown(event.raised)}"
    if event.cleared is not None:
        yield f"  over      {shown(event.cleared)}"
    if event.value is not None:
        against = f", against {event.baseline:g} {event.unit}".rstrip() if event.baseline else ""
        yield f"  measured  {event.value:g} {event.unit}".rstrip() + against
    if event.quantity:
        yield f"  judged    {event.quantity}"
    yield from _listed("evidence", {key: _figure(key, value) for key, value in event.evidence.items()})
    yield from _listed(f"[alerts.{event.rule}]", options)


def _figure(key: str, value: float) -> str:
    if key.endswith("_ms") and 0 <= value < 1 << 42:
        return shown(int(value))
    return spell_seconds(value) if key.endswith("_s") else f"{value:g}"


def _listed(head: str, rows: Mapping[str, Any]) -> Iterator[str]:
    if rows:
        yield head
        width = max(len(name) for name in rows)
        yield from (f"  {name:{width}}  {value}" for name, value in rows.items())
