"""What is usual: learnt slot by slot, slowly, without what is out of the ordinary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.alerts.usual import SLOTS, Usual, expected, learnt


def taught(amounts: list[float], slot: int = 7, usual: Usual | None = None) -> Usual:
    """Learn amounts of one slot."""
    usual = usual or Usual()
    for amount in amounts:
        usual = learnt(usual, slot, amount)
    return usual


def test_nothing_is_known_of_a_new_meter() -> None:
    """Not zero: unknown."""
    assert [expected(Usual(), slot) for slot in range(SLOTS)] == [None] * SLOTS


def test_a_few_hours_are_their_mean() -> None:
    """Evenly at first."""
    assert expected(taught([100, 200, 300]), 7) == pytest.approx(200, abs=1)


def test_a_kind_of_day_never_seen_is_as_the_one_most_like_it() -> None:
    """Ramadan as rest, rest as work; not the other way round."""
    usual = taught([100.0])
    assert (expected(usual, 7), expected(usual, 24 + 7), expected(usual, 48 + 7)) == (100, 100, 100)
    usual = taught([500.0], 24 + 7, usual)
    assert expected(usual, 7) == 100
    assert expected(taught([100.0], 24 + 7), 7) is None


def test_an_anomaly_does_not_become_the_usual() -> None:
    """One hour of a hundred times as much moves it by a few deviations at the most."""
    calm = taught([100.0, 120.0, 80.0] * 10)
    after = expected(taught([10_000.0], 7, calm), 7)
    assert after is not None
    assert after < 130


def test_a_season_is_followed() -> None:
    """Two months of more are the new usual."""
    after = expected(taught([300.0, 320.0, 280.0] * 25, 7, taught([100.0, 120.0, 80.0] * 10)), 7)
    assert after == pytest.approx(300, rel=0.1)


@given(st.lists(st.tuples(st.integers(0, SLOTS - 1), st.floats(0, 1e6)), max_size=80))
def test_a_mean_lies_among_what_was_seen(rows: list[tuple[int, float]]) -> None:
    """Never below the least, never above the most, whatever the order."""
    usual = Usual()
    for slot, amount in rows:
        usual = learnt(usual, slot, amount)
    seen = [amount for _, amount in rows]
    for slot in range(SLOTS):
        mean = expected(usual, slot)
        assert mean is None or min(seen) - 0.1 <= mean <= max(seen) + 0.1
