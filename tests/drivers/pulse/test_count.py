"""Counting pulses, and telling a rate from their spacing."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from drivers.pulse.count import NANO, Counter, Total

MS = 10**6


def test_a_rate_is_one_pulse_over_the_last_spacing() -> None:
    """It falls as the next pulse is late, and is nothing once the meter must be standing still."""
    counter = Counter(still=600 * NANO)
    assert counter.rate(0) == 0
    counter.pulse(10 * NANO)
    assert counter.rate(11 * NANO) == 0
    counter.pulse(14 * NANO)
    assert counter.rate(14 * NANO) == counter.rate(18 * NANO) == Fraction(1, 4)
    assert counter.rate(22 * NANO) == Fraction(1, 8)
    assert counter.rate(613 * NANO) == Fraction(1, 599)
    assert counter.rate(614 * NANO) == 0


def test_a_contact_that_bounces_counts_once() -> None:
    """What comes sooner than the meter could is left out, and told."""
    counter = Counter(shortest=30 * MS)
    for at in (0, 2, 5, 29, 30, 31, 95):
        counter.pulse(at * MS)
    assert (counter.total, counter.too_soon) == (Total(3), 4)


def test_a_meter_may_run_backward() -> None:
    """Each way has its count; the spacing across a turn is no rate."""
    counter = Counter()
    counter.pulse(NANO)
    counter.pulse(2 * NANO, backward=True)
    assert counter.rate(2 * NANO) == 0
    counter.pulse(3 * NANO, backward=True)
    assert (counter.total, counter.rate(3 * NANO)) == (Total(1, 2), Fraction(-1))


def test_edges_that_were_dropped_count_all_the_same() -> None:
    """The system's numbers tell how many; the rate is that of all of them."""
    counter = Counter(shortest=NANO // 2)
    counter.pulse(0, number=7)
    counter.pulse(10 * NANO, number=12)
    assert (counter.total, counter.made_up, counter.rate(10 * NANO)) == (Total(6), 4, Fraction(1, 2))


@given(st.lists(st.integers(0, 10**12)), st.integers(0, 10**10))
def test_any_times_give_a_count(times: list[int], shortest: int) -> None:
    """Each pulse is counted or left out, and a rate is never faster than the contact can be."""
    counter = Counter(shortest=max(1, shortest))
    for at in sorted(times):
        counter.pulse(at)
    assert counter.total.forward + counter.too_soon == len(times)
    assert counter.rate(10**12) <= Fraction(NANO, max(1, shortest))
