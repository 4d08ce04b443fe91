"""A meter's first hour, told once in its life."""

import pytest

from gateway.alerts.rule import Alarm, Clear
from gateway.alerts.rules.welcome import OVER, State, Welcome
from gateway.message import SUSPECT

START = 1_795_219_200_000
MINUTE = 60_000


def judged(readings: list[tuple[int, int, dict[str, float]]]) -> tuple[State, list[Alarm | Clear]]:
    """Hear readings (minute, bits, values); give the state and what was found."""
    state, found = Welcome.start, list[Alarm | Clear]()
    for minute, q, values in readings:
        state, finding = Welcome().reading(state, START + minute * MINUTE, q, values)
        found += [finding] if finding is not None else []
    return state, found


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (
            {"energy_import_wh": 5000.0},
            {"energy_import_wh": 5850.0, "power_w": 420.0},
            (850.0, "Wh", "energy_import_wh", {"now_w": 420.0}),
        ),
        ({"water_volume_l": 10.0}, {"water_volume_l": 10.0, "water_flow_l_h": 0.0}, (0.0, "l", "water_volume_l", {})),
        ({"energy_import_wh": 5000.0}, {"energy_import_wh": 3.0, "power_w": -5.0}, (0.0, "", "", {})),
        ({"power_w": 5.0}, {"power_w": 5.0}, (0.0, "", "", {"now_w": 5.0})),
    ],
    ids=["electricity", "water", "exchanged", "no register"],
)
def test_the_first_hour(
    first: dict[str, float], last: dict[str, float], told: tuple[float, str, str, dict[str, float]]
) -> None:
    """What was counted, and what flows now; nothing is said of what is not known."""
    _, found = judged([(0, 0, first), (30, 0, last), (59, 0, last), (60, 0, last), (61, 0, last)])
    (alarm,) = found
    assert isinstance(alarm, Alarm)
    assert (alarm.severity, alarm.when) == ("info", START + 60 * MINUTE)
    assert (alarm.value, alarm.unit, alarm.quantity, alarm.evidence) == (*told[:3], {"since_ms": START} | told[3])


def test_it_is_told_once() -> None:
    """It ends after a day, and nothing follows in all the time after."""
    readings = [(n * 20, 0, {"energy_import_wh": float(n)}) for n in range(3 * 24 * 5)]
    state, found = judged(readings)
    assert [type(finding) for finding in found] == [Alarm, Clear]
    assert state.stage == OVER


def test_doubtful_readings_and_lone_gauges_wait() -> None:
    """The hour begins with a good reading and ends with the same register."""
    register = {"energy_import_wh": 1.0}
    assert not judged([(0, SUSPECT, register), (10, 0, register), (60, 0, register)])[1]
    assert not judged([(0, 0, register), (70, 0, {"power_w": 1.0})])[1]
