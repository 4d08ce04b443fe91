"""Days that are not in order: incomplete, impossible, sent twice; and what is none of that."""

from itertools import pairwise

import pytest

from gateway.alerts.rule import Alarm, Clear
from gateway.alerts.rules.data_quality import COMPLETE, JUMPS, TWICE, DataQuality, State, quality_of
from gateway.check.sheet import Sheet, Track
from gateway.check.slots import Slot
from gateway.check.words import Remark

DAY = 86_400_000
START = 1_795_219_200_000 // DAY * DAY
RULE = DataQuality()
SEEN = State(seen=True)


def sheet(unknown: int, *flags: str) -> Sheet:
    """Make a day of 96 quarters, so many of them not measured, with these remarks."""
    edges = range(START, START + DAY + 1, 900_000)
    slots = tuple(
        Slot(a, b, None, "unknown") if n < unknown else Slot(a, b, 1.0, "actual")
        for n, (a, b) in enumerate(pairwise(edges))
    )
    remarks = tuple(Remark("m", "energy_import_wh", flag, START, START) for flag in flags)  # type: ignore[arg-type]
    return Sheet("m", START, START + DAY, {"energy_import_wh": Track(slots)}, {}, remarks)


@pytest.mark.parametrize(
    ("day", "value", "evidence"),
    [
        (sheet(0), None, {}), (sheet(4), None, {}), (sheet(5), 94.8, {}), (sheet(95), 1.0, {}), (sheet(96), None, {}),
        (sheet(0, "spike", "hilo", "gap"), None, {}), (sheet(0, "imposs", "imposs"), 100.0, {"jumps_today": 2}),
        (sheet(0, *["dup"] * 99), None, {}), (sheet(48, *["dup"] * 100), 50.0, {"twice_today": 100}),
        (Sheet("m", START, START + DAY), None, {}),
    ],
)  # fmt: skip
def test_which_days_are_not_in_order(day: Sheet, value: float | None, evidence: dict[str, float]) -> None:
    """An hour and more missing, a jump, a hundred readings twice; a silent day is another rule's."""
    _, finding = RULE.reading(SEEN, day.end, 0, quality_of(day))
    assert (finding.value if isinstance(finding, Alarm) else None) == value
    if isinstance(finding, Alarm):
        assert (finding.severity, finding.evidence, finding.baseline, finding.unit) == ("info", evidence, 95.0, "%")


def test_a_day_in_order_ends_it() -> None:
    """Not a silent one, and not a bad one."""
    state, days = SEEN, [{COMPLETE: share, JUMPS: 0, TWICE: 0} for share in (0.5, 0.6, 0.0, 0.99, 1.0)]
    found = []
    for n, day in enumerate(days):
        state, finding = RULE.reading(state, START + n * DAY, 0, day)
        found.append(type(finding))
    assert found == [Alarm, Alarm, type(None), Clear, type(None)]


def test_before_the_first_day_nothing_is_missed() -> None:
    """A meter's first day begins when it is installed."""
    state = RULE.start
    for share in (0.0, 0.4):
        state, finding = RULE.reading(state, START, 0, {COMPLETE: share, JUMPS: 1, TWICE: 0})
        assert finding is None
    assert isinstance(RULE.reading(state, START, 0, {COMPLETE: 0.4, JUMPS: 0, TWICE: 0})[1], Alarm)


def test_the_register_known_least_well_counts() -> None:
    """Of two registers."""
    good, bad = sheet(0), sheet(24)
    both = Sheet("m", START, START + DAY, {"a": good.tracks["energy_import_wh"], "b": bad.tracks["energy_import_wh"]})
    assert quality_of(both)[COMPLETE] == 0.75
