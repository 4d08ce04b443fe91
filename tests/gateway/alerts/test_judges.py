"""Who of a meter's rules is asked what, and how much of that is remembered."""

from gateway.alerts.judges import KINDS, Judges
from gateway.alerts.rules.overload import Overload
from gateway.alerts.rules.silence import Silence


def test_a_reading_asks_only_whom_it_concerns() -> None:
    """Each rule keeps its number; one that judges powers hears of no water."""
    judges = Judges([Silence(), Overload(rating_a=63)])
    assert [n for n, _ in judges.of_time] == [0]
    assert 1 in [n for n, _ in judges.of_kind(("current_a",))]
    assert 1 not in [n for n, _ in judges.of_kind(("water_volume_l",))]


def test_kinds_of_telegrams_are_remembered_in_bounds() -> None:
    """The same values are looked up once; a meter that says something else each time fills no memory."""
    judges = Judges([Silence(), Overload(rating_a=63)])
    assert judges.of_kind(("current_a",)) is judges.kinds["current_a",]
    for number in range(3 * KINDS):
        judges.of_kind((f"power_{number}_w",))
        assert len(judges.kinds) <= KINDS
