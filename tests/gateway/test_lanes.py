"""The order of sending: live first, backlog paced, silence sends again."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.lanes import ALONE, BACKLOG_RATE, FIRST_REST, LONGEST_ASIDE, UNSTORED, Lanes


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
    lanes.lost(1.5)
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
            lanes.lost(now)
            under_way.clear()
            lanes.connected(pending)
        elif step == "wait":
            now += 30
    lanes.lost(now)
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


def die(lanes: Lanes, pending: list[int], now: float) -> None:
    """End a connection and begin the next."""
    lanes.lost(now)
    lanes.connected(pending)


def test_a_block_that_ends_connections_is_found_and_set_aside() -> None:
    """Of six blocks on their way one makes the broker hang up: it is alone the next three times, then it rests."""
    lanes, left, deaths, now = Lanes(75), [1, 2, 3, 4, 5, 6], 0, 0.0
    lanes.connected(left)
    assert lanes.next(now) == 1
    while lanes.next(now) is not None or len(lanes._under_way) < 6:
        now += 0.1
    die(lanes, left, now)
    for _ in range(30):
        if (block := lanes.next(now)) is None:
            break
        assert lanes.next(now) is None, "a suspect is alone"
        if block == 4:
            deaths += 1
            die(lanes, left, now)
        else:
            lanes.sent(block, now)
            lanes.freed(block)
            left.remove(block)
    assert deaths == 3
    assert left == [4]
    assert lanes.strikes.quarantined == {"connection_lost": 1}
    assert lanes.next(now + 74) is None
    assert lanes.next(now + 76) == 4


def test_new_blocks_pass_a_suspect() -> None:
    """While suspects are tried one by one, what is committed now goes before the next of them."""
    lanes = Lanes(75)
    lanes.connected([])
    lanes.committed([1, 2], 0)
    assert drain(lanes, 0) == [1, 2]
    die(lanes, [1, 2], 1)
    assert lanes.next(1) == 1
    lanes.committed([1, 2, 3], 1)
    assert lanes.next(1) is None
    lanes.sent(1, 1.1)
    assert lanes.next(1.1) == 3


def test_a_broker_that_owes_an_answer_stops_nobody_for_long() -> None:
    """A suspect that is never answered keeps the others waiting some seconds, and no longer."""
    lanes = Lanes(75)
    lanes.connected([])
    lanes.committed([1, 2, 3], 0)
    assert drain(lanes, 0) == [1, 2, 3]
    die(lanes, [1, 2, 3], 0)
    assert drain(lanes, 0) == [1]
    assert lanes.wake_at(0) == ALONE
    assert drain(lanes, ALONE) == [2]


def test_three_refusals_set_a_block_aside_and_one_success_ends_that_for_all() -> None:
    """Waits double up to an hour; once the broker takes one of them, the others go at once."""
    lanes, now, waits = Lanes(75), 0.0, []
    lanes.connected([1, 2])
    for _ in range(9):
        tried: list[int] = []
        while len(tried) < 2:
            if (block := lanes.next(now)) is None:
                wake = lanes.wake_at(now)
                assert wake is not None
                now = max(wake, now + 1e-6)
            else:
                tried.append(block)
                lanes.refused(block, now, "too_large")
        waits.append(round(lanes._resting[2] - now))
    assert waits[:4] == [75, 150, 300, 600]
    assert waits[-1] == LONGEST_ASIDE
    assert lanes.strikes.quarantined == {"too_large": 2}
    now += LONGEST_ASIDE - 1  # the first is due a moment before the second
    while (block := lanes.next(now)) is None:
        now += 0.01
    lanes.sent(block, now)
    assert drain(lanes, now + 0.3) == [2 if block == 1 else 1]


def test_a_quota_is_nobodys_fault() -> None:
    """A refusal that speaks of the moment slows the backlog down and quarantines nothing."""
    lanes = Lanes(75)
    lanes.connected([1])
    before = lanes.backlog_rate
    for now in range(0, 6000, 700):
        assert lanes.next(now) == 1
        lanes.refused(1, now, "")
    assert lanes.backlog_rate < before
    assert lanes.strikes.quarantined == {}


def test_a_block_the_disk_does_not_give_is_asked_for_again() -> None:
    """First after some seconds, then less often; the others go on meanwhile."""
    lanes = Lanes(75)
    lanes.connected([])
    lanes.committed([1, 2], 0)
    assert lanes.next(0) == 1
    lanes.unread(1, 0)
    assert lanes.next(0) == 2
    assert lanes.next(FIRST_REST - 1) is None
    assert lanes.next(FIRST_REST) == 1
    lanes.unread(1, FIRST_REST)
    assert lanes.next(FIRST_REST * 3 - 1) is None
    assert lanes.next(FIRST_REST * 3) == 1
    assert not lanes.strikes


def test_a_suspect_that_was_stored_after_all_is_not_sent_again() -> None:
    """Its PUBACK was lost with the connection, its stored ack came on the next."""
    lanes = Lanes(75)
    lanes.connected([])
    lanes.committed([1, 2], 0)
    assert drain(lanes, 0) == [1, 2]
    die(lanes, [1, 2], 0)
    assert lanes.next(0) == 1
    lanes.freed(1)
    lanes.freed(2)
    assert drain(lanes, 1000) == []
