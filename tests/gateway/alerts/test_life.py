"""The life of one alert: what is told, what is kept silent, and what it is called."""

from gateway.alerts.event import Severity, alert_id
from gateway.alerts.life import Life, alarmed, ended
from gateway.alerts.rule import Alarm, Clear


def alarm(when: int, severity: Severity = "warning", size: float = 1.0) -> Alarm:
    """Make an alarm of a size."""
    return Alarm(severity, when, size, 0.5, "A", "current_a", size, {"n": size})


def test_raised_updated_cleared() -> None:
    """One alert has one id and numbered events."""
    life, raised = alarmed(Life(), "r", "m", alarm(1000), 1005, 0)
    assert raised is not None
    assert (raised.state, raised.seq, raised.raised, raised.at) == ("raised", 1, 1000, 1005)
    assert raised.id == alert_id("r", "m", 1000)
    life, updated = alarmed(life, "r", "m", alarm(2000, "critical"), 2000, 0)
    assert updated is not None
    assert (updated.state, updated.seq, updated.severity, updated.raised) == ("updated", 2, "critical", 1000)
    life, cleared = ended(life, "r", "m", Clear(2900, {"n": 3}), 3000, 0)
    assert cleared is not None
    assert (cleared.state, cleared.seq, cleared.cleared, cleared.at) == ("cleared", 3, 2900, 3000)
    assert {raised.id, updated.id, cleared.id} == {raised.id}
    assert (cleared.value, cleared.severity) == (1.0, "critical")
    assert not life.seq


def test_an_open_alert_says_nothing_new_until_it_doubles() -> None:
    """Each doubling is told once, a milder one never."""
    life, _ = alarmed(Life(), "r", "m", alarm(0, size=10), 0, 0)
    told = []
    for size in (10, 15, 19.9, 20, 25, 39, 40, 12, 41):
        life, event = alarmed(life, "r", "m", alarm(1, "info", size), 1, 0)
        if event is not None:
            told.append((size, event.severity))
    assert told == [(20, "warning"), (40, "warning")]


def test_after_the_end_only_something_worse_is_told_for_a_while() -> None:
    """The pause ends by the meter's own time."""
    life, _ = alarmed(Life(), "r", "m", alarm(0), 0, 0)
    life, _ = ended(life, "r", "m", Clear(1000, {}), 1000, 60)
    assert alarmed(life, "r", "m", alarm(60_999), 60_999, 60)[1] is None
    assert alarmed(life, "r", "m", alarm(60_999, "critical"), 60_999, 60)[1] is not None
    assert alarmed(life, "r", "m", alarm(61_000), 61_000, 60)[1] is not None


def test_what_is_not_open_does_not_end() -> None:
    """A clear without an alert is no event and forgets no pause."""
    life = Life(calm=500)
    assert ended(life, "r", "m", Clear(1, {}), 1, 60) == (life, None)


def test_an_alert_nobody_knows_of_any_more_expires() -> None:
    """It has no time of clearing."""
    life, _ = alarmed(Life(), "r", "m", alarm(0), 0, 0)
    _, event = ended(life, "r", "m", None, 9000, 0)
    assert event is not None
    assert (event.state, event.cleared, event.at) == ("expired", None, 9000)


def test_a_clock_set_back_starts_no_pause_of_weeks() -> None:
    """T14: what ended on a clock that was thirty days ahead keeps nothing silent now."""
    life, _ = alarmed(Life(), "r", "m", alarm(0), 0, 60)
    life, _ = ended(life, "r", "m", Clear(30 * 86_400_000, {}), 30 * 86_400_000, 60)
    assert alarmed(life, "r", "m", alarm(5000), 5000, 60)[1] is not None
