"""The order of sending: live first, backlog paced, silence sends again."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.lanes import BACKLOG_RATE, UNSTORED, Lanes


def drain(lanes: Lanes, now: float) -> list[int]:
    """Take all that may go at this moment."""
    taken = []
    while (block := lanes.next(now)) is not None:
        taken.append(block)
    return taken


def test_new_blocks_go_before_the_backlog() -> None:
    """What was pending at connect waits behind what is committed now."""
    lanes = Lanes(75)
    lanes.connected([1, 2, 3])
    lanes.committed([1, 2, 3, 4, 5], 0.0)
    assert drain(lanes, 0.0)[:2] == [4, 5]


def test_backlog_keeps_its_rate() -> None:
    """Ten seconds of backlog are fifty blocks, give or take the one under way."""
    lanes = Lanes(75)
    lanes.connected(list(range(1000)))
    sent = []
    for tick in range(1001):
        sent += drain(lanes, tick / 100)
    assert abs(len(sent) - 10 * BACKLOG_RATE) <= 2
    assert sent == sorted(sent)


def test_backlog_follows_a_fast_live_rate() -> None:
    """A gateway that makes ten blocks a second drains its backlog far faster than five a second."""
    lanes = Lanes(75)
    lanes.connected([0])
    for number in range(1, 600):
        lanes.committed(list(range(number + 1)), number / 10)
    assert lanes.backlog_rate > 100


def test_an_unanswered_block_comes_back_later_each_time() -> None:
    """The first wait is ack_timeout, the next ones double, none is longer than ten minutes."""
    lanes = Lanes(75)
    lanes.connected([7])
    now, waits = 0.0, []
    for _ in range(6):
        while lanes.next(now) != 7:
            wake = lanes.wake_at(now)
            assert wake is not None
            now = max(wake, now + 1e-6)
        lanes.sent(7, now)
        wake = lanes.wake_at(now)
        assert wake is not None
        waits.append(round(wake - now))
    assert waits == [75, 150, 300, 600, 600, 600]
    assert lanes.missing_acks == 5


def test_a_stored_ack_before_the_puback_frees_for_good() -> None:
    """A block freed while still under way never asks to be sent again."""
    lanes = Lanes(75)
    lanes.connected([1])
    assert lanes.next(0.0) == 1
    lanes.freed(1)
    lanes.sent(1, 0.1)
    assert lanes.awaiting == 0
    assert lanes.next(1000.0) is None


def test_many_missing_acks_at_one_moment_slow_down_once() -> None:
    """A broker restart leaves hundreds unanswered; the rate is halved, not stopped."""
    lanes = Lanes(10)
    lanes.connected([])
    for number in range(200):
        lanes.committed(list(range(number + 1)), 0.0)
        assert lanes.next(0.0) == number
        lanes.sent(number, 0.0)
    before = lanes.backlog_rate
    lanes.next(11.0)
    assert lanes.missing_acks == 200
    assert lanes.backlog_rate == before / 2


def test_a_lost_connection_puts_under_way_blocks_back() -> None:
    """What had no PUBACK is backlog of the next connection; what awaits its stored ack keeps its timer."""
    lanes = Lanes(75)
    lanes.connected([1, 2])
    assert lanes.next(0.0) == 1
    lanes.sent(1, 0.0)
    assert lanes.next(1.0) == 2
    lanes.unsent(2)
    lanes.connected([1, 2])
    assert drain(lanes, 2.0) == [2]


def test_the_number_of_unstored_blocks_is_bounded() -> None:
    """With a dead collector, 2,000 blocks are out and no more."""
    lanes = Lanes(75)
    lanes.connected([])
    lanes.committed(list(range(3000)), 0.0)
    sent = drain(lanes, 0.0)
    for block in sent:
        lanes.sent(block, 0.0)
    assert len(sent) == UNSTORED
    assert lanes.next(1.0) is None
    lanes.freed(0)
    assert lanes.next(1.0) == 2000


@given(st.lists(st.sampled_from(["commit", "next", "sent", "ack", "lose", "wait"]), max_size=200))
def test_every_block_is_sent_until_it_is_freed(steps: list[str]) -> None:
    """Whatever happens, in the end each pending block is offered, and a freed one never again."""
    lanes, pending, under_way, sent, now, top = Lanes(5), list[int](), list[int](), list[int](), 0.0, 0
    lanes.connected(pending)
    freed: set[int] = set()
    for step in steps:
        now += 0.05
        if step == "commit":
            pending.append(top)
            top += 1
            lanes.committed(pending, now)
        elif step == "next" and (block := lanes.next(now)) is not None:
            assert block not in freed
            under_way.append(block)
        elif step == "sent" and under_way:
            sent.append(under_way.pop(0))
            lanes.sent(sent[-1], now)
        elif step == "ack" and sent:
            block = sent.pop(0)
            if block in pending:
                pending.remove(block)
            freed.add(block)
            lanes.freed(block)
        elif step == "lose":
            for block in under_way:
                lanes.unsent(block)
            under_way.clear()
            lanes.connected(pending)
        elif step == "wait":
            now += 30
    for block in under_way:
        lanes.unsent(block)
    lanes.connected(pending)
    offered: set[int] = set()
    for _ in range(20 * len(pending) + 20):
        if (block := lanes.next(now)) is not None:
            offered.add(block)
        now += 5
    assert offered == set(pending)


def test_replayed_blocks_go_beside_live_ones_and_outlive_a_connection() -> None:
    """They are backlog until freed, though the journal no longer calls them pending."""
    lanes = Lanes(75)
    lanes.connected([])
    assert lanes.replay([3, 4]) == 2
    assert lanes.replay([4, 5]) == 1
    lanes.committed([9], 0)
    assert lanes.next(0) == 9
    assert lanes.next(0) == 3
    lanes.sent(3, 0)
    lanes.connected([9])
    assert [block for now in range(100, 110) for block in drain(lanes, now)] == [4, 5, 9, 3]
    for block in (3, 4, 5):
        lanes.sent(block, 100)
        assert lanes.freed(block)
    lanes.sent(9, 100)
    assert not lanes.freed(9)
    assert drain(lanes, 10_000) == []
