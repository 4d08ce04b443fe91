"""Answers move thresholds: a table of histories, and what holds whatever people answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.notify.links import REPLIES, Reply
from gateway.notify.retune import LEAST, MOST, RAISED, SLOT_MS, WEEK_MS, Answered, tuning

NOW = 100 * WEEK_MS


def said(*answers: Reply, rule: str = "water_leak", weeks: int = 0) -> list[Answered]:
    """Make answers given at one moment, so many weeks ago."""
    return [Answered(rule, answer, NOW - weeks * WEEK_MS, 9) for answer in answers]


USEFUL, USELESS = said("useful"), said("not_useful")


@pytest.mark.parametrize(
    ("answers", "factors"),
    [
        ([], {}),
        (said("not_useful"), {"water_leak": 1.25}),
        (said("normal"), {"water_leak": 1.25}),
        (said("not_useful", "not_useful"), {"water_leak": 1.562}),
        (USELESS * 9, {"water_leak": 3.0}),
        (said("useful"), {"water_leak": 0.95}),
        (USEFUL * 99, {"water_leak": 0.7}),
        (said("fixed", "call_me"), {}),
        (said("not_useful", weeks=1), {"water_leak": 1.238}),
        (said("not_useful", weeks=99), {}),
        (said("not_useful", rule="gas_continuous"), {}),
        (said("not_useful", rule="overload"), {}),
        (said("not_useful", rule="water_burst"), {}),
        (said("useful", rule="high_usage") + said("normal"), {"high_usage": 0.95, "water_leak": 1.25}),
    ],
)
def test_answers_move_the_threshold_of_their_rule(answers: list[Answered], factors: dict[str, float]) -> None:
    """A quarter up, a twentieth down, back by a twentieth a week; safety never moves."""
    assert tuning(answers, NOW).factors == factors


def test_what_is_normal_marks_its_hour_for_half_a_year() -> None:
    """Only for rules that know hours, and not for ever."""
    assert tuning(said("normal", rule="high_usage"), NOW).known_slots == (9,)
    assert tuning(said("not_useful", rule="high_usage"), NOW).known_slots == ()
    assert tuning(said("normal"), NOW).known_slots == ()
    assert tuning(said("normal", rule="high_usage"), NOW + SLOT_MS).known_slots == ()


def test_what_is_taken_back_counts_no_more() -> None:
    """A reset forgets what one rule was answered before it, hours included; other rules and later answers stay."""
    before = [*said("normal", "not_useful", rule="high_usage"), *said("not_useful")]
    back = Answered("high_usage", "reset", NOW, 0)
    assert tuning([*before, back], NOW) == tuning(said("not_useful"), NOW)
    later = Answered("high_usage", "not_useful", NOW + 1, 0)
    assert tuning([*before, back, later], NOW + 1).factors["high_usage"] == RAISED


@given(
    st.lists(
        st.builds(
            Answered,
            st.sampled_from(["water_leak", "high_usage", "gas_continuous"]),
            st.sampled_from(REPLIES),
            st.integers(0, NOW),
            st.integers(0, 167),
        ),
        max_size=60,
    ),
    st.randoms(),
)
def test_no_history_leads_out_of_bounds(answers: list[Answered], dice: object) -> None:
    """Factors stay within their bounds, safety has none, and the order in which rows are read does not matter."""
    answers = sorted(answers, key=lambda one: one.at)
    found = tuning(answers, NOW)
    assert all(LEAST <= factor <= MOST for factor in found.factors.values())
    assert "gas_continuous" not in found.factors
    by_time = {one.at: one for one in answers}
    mixed = list(by_time.values())
    dice.shuffle(mixed)  # type: ignore[attr-defined]
    assert tuning(mixed, NOW) == tuning(by_time.values(), NOW)
