"""Events of alerts: the same dict everywhere, hostile dicts refused, and the CloudEvent of each."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.alerts.event import AlertEvent, alert_id, cloud_event, parse
from gateway.message import MessageError

RAISED = AlertEvent(
    id=alert_id("overload", "gw-1_main", 1_795_219_260_000),
    seq=1,
    rule="overload",
    meter="gw-1_main",
    state="raised",
    severity="critical",
    raised=1_795_219_260_000,
    at=1_795_219_260_000,
    value=71.5,
    baseline=63.0,
    unit="A",
    quantity="current_l2_a",
    evidence={"limit_a": 63.0, "since_ms": 1_795_219_200_000},
    points=[(1_795_219_260_000, 71.5)],
)


def test_what_is_written_is_read_back() -> None:
    """A block's event is the event."""
    assert parse(orjson.loads(RAISED.encode())) == RAISED


def test_the_dict_is_what_is_agreed() -> None:
    """Version and key first, empty fields left out, zero kept."""
    row = replace(RAISED, baseline=0.0, points=[], evidence={}).to_dict()
    assert row == {
        "v": 1, "key": f"{RAISED.id}-1", "id": RAISED.id, "seq": 1, "rule": "overload", "meter": "gw-1_main",
        "state": "raised", "severity": "critical", "raised": 1_795_219_260_000, "at": 1_795_219_260_000,
        "value": 71.5, "baseline": 0.0, "unit": "A", "quantity": "current_l2_a",
    }  # fmt: skip


def test_the_id_is_computed_and_never_changes() -> None:
    """Whoever finds the same alert names it the same, in every version."""
    assert alert_id("overload", "gw-1_main", 1_795_219_260_000) == "f0d6ed12d7160b8c"
    assert len({alert_id(rule, meter, at) for rule in "ab" for meter in "ab" for at in (1, 2)}) == 8


@pytest.mark.parametrize(
    "wrong",
    [
        {"v": 2}, {"id": "x"}, {"id": "<script>"}, {"seq": 0}, {"rule": "Over load"}, {"meter": "../x"},
        {"meter": "+/#"},
        {"state": "open"}, {"severity": "fatal"}, {"raised": -1}, {"at": 1 << 42}, {"value": float("nan")},
        {"value": float("inf")}, {"value": 10**400}, {"value": "<b>"}, {"unit": "\u202eA"}, {"unit": "x" * 9},
        {"quantity": "a b"}, {"evidence": {"A B": 1}}, {"evidence": {"a": "text"}}, {"evidence": {"a": [1]}},
        {"evidence": {f"k{n}": n for n in range(33)}}, {"points": [[1, 2]] * 97}, {"points": [[1, "x"]]},
        {"points": [[1]]},
    ],
    ids=str,
)  # fmt: skip
def test_a_hostile_dict_is_refused(wrong: dict[str, Any]) -> None:
    """Nothing but ids, keys, units and finite numbers comes through, and not many of them."""
    with pytest.raises(MessageError):
        parse(RAISED.to_dict() | wrong)


@pytest.mark.parametrize("name", ["id", "seq", "rule", "meter", "state", "severity", "raised", "at"])
def test_each_needed_field_is_needed(name: str) -> None:
    """An event without it is none."""
    row = RAISED.to_dict()
    del row[name]
    with pytest.raises(MessageError, match=name):
        parse(row)


def test_a_newer_gateway_may_say_more() -> None:
    """Unknown keys are ignored."""
    assert parse(RAISED.to_dict() | {"cost": {"amount": 5}}) == RAISED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, st.sampled_from([*RAISED.to_dict(), "other"]), JSON)
def test_nothing_escapes_but_our_error(whole: Any, name: str, part: Any) -> None:
    """Any JSON is an event or a MessageError."""
    for row in (whole, RAISED.to_dict() | {name: part}):
        try:
            event = parse(row)
        except MessageError:
            continue
        assert parse(orjson.loads(event.encode())) == event


def test_the_cloudevent_carries_the_same() -> None:
    """The attributes are those the module's first page promises."""
    document = cloud_event(RAISED, "home", "gw-1")
    assert document.pop("data") == RAISED.to_dict()
    assert document == {
        "specversion": "1.0",
        "type": "nabd.alert.raised",
        "source": "/nabd/home/gw-1",
        "subject": "gw-1_main",
        "id": RAISED.key,
        "time": "2026-11-21T00:01:00.000Z",
        "datacontenttype": "application/json",
    }
