"""Circuit breakers: who is down is asked seldom and by one message, who answers is not down."""

import random

from gateway.backoff import Backoff
from gateway.notify.breaker import AT_ONCE, FAILURES, Breaker
from gateway.notify.channels.contract import Delivered, Refused, TryLater

DOWN, UP = TryLater("down"), Delivered()


def opened() -> Breaker:
    """Make a breaker that five failures opened at 100 s."""
    breaker = Breaker(Backoff(10.0, 60.0, random.Random(1)))
    breaker.heard([DOWN] * FAILURES, 100.0)
    return breaker


def said(breaker: Breaker) -> str:
    """Say how it stands."""
    return breaker.state


def test_a_single_failure_is_only_a_short_rest() -> None:
    """The next round is whole again."""
    breaker = Breaker(Backoff(1.0, 60.0, random.Random(1)))
    breaker.heard([DOWN], 100.0)
    assert 0 < breaker.wait(100.0) <= 1
    assert (breaker.state, breaker.take(), breaker.opened) == ("closed", AT_ONCE, 0)


def test_five_failures_open_it_and_one_message_asks() -> None:
    """While that is on its way nobody else goes; if it fails the rest is longer, and it was opened once."""
    breaker = opened()
    assert said(breaker) == "open"
    after = 100.0 + breaker.wait(100.0)
    assert breaker.wait(after) == 0
    assert breaker.take() == 1
    assert said(breaker) == "half-open"
    assert breaker.wait(after) > 0
    breaker.heard([DOWN], after)
    assert (breaker.state, breaker.opened) == ("open", 1)
    assert breaker.wait(after) > 0


def test_an_answer_closes_it() -> None:
    """Also a refusal: the provider is there."""
    for receipt in (UP, Refused("HTTP 400")):
        breaker = opened()
        breaker.take()
        breaker.heard([receipt], 200.0)
        assert (breaker.state, breaker.wait(200.0), breaker.take()) == ("closed", 0, AT_ONCE)


def test_one_of_a_round_that_got_through_is_no_outage() -> None:
    """Failures count in a row only."""
    breaker = Breaker()
    for _ in range(10):
        breaker.heard([DOWN, DOWN, UP, DOWN], 0.0)
    assert (breaker.state, breaker.opened) == ("closed", 0)
