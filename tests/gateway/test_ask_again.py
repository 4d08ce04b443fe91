"""When the hub asks for readings that are missing, and how."""

from itertools import pairwise

import orjson

from gateway.ask_again import LAST_WAIT, RANGES, Asker, commands
from gateway.hubdb import Gap

GAP = Gap("t", "gw-1", 0x9F2C3A41B07D, [(5, 9)])


def test_a_gap_is_asked_for_once_it_has_stayed() -> None:
    """A backlog that drains looks like a gap; only what stays five minutes is asked for."""
    asker = Asker(300)
    assert asker.due([GAP], 1000) == []
    assert asker.due([GAP], 1299) == []
    assert asker.due([GAP], 1300) == [GAP]


def test_what_nobody_can_fill_is_asked_for_more_and_more_seldom() -> None:
    """Each wait is twice the last one, up to a day."""
    asker, asked = Asker(300), []
    for now in range(0, 5 * 86_400, 60):
        asked += [now] * len(asker.due([GAP], now))
    waits = [later - earlier for earlier, later in pairwise(asked)]
    assert waits[:4] == [300, 600, 1200, 2400]
    assert max(waits) == LAST_WAIT


def test_a_gap_that_closed_and_opens_anew_starts_over() -> None:
    """Nothing is remembered of streams that are whole."""
    asker = Asker(300)
    asker.due([GAP], 0)
    assert asker.due([], 200) == []
    assert asker.due([GAP], 400) == []
    assert asker.due([GAP], 700) == [GAP]


def test_the_command_names_stream_and_numbers() -> None:
    """As contracts say: one message a range, never kept longer than a minute."""
    (command,) = commands(GAP, "nabd")
    assert command.topic == "nabd/v1/t/gw-1/cmd/replay"
    fields = orjson.loads(command.payload)
    assert len(fields.pop("id")) >= 8, "each asking is a command of its own"
    assert fields == {"role": "operator", "stream": "9f2c3a41b07d", "from": 5, "to": 9}
    assert (command.qos, command.retain, command.expiry) == (1, False, 60)
    assert command.response_topic == "nabd/v1/t/gw-1/reply"


def test_many_small_gaps_are_asked_for_together() -> None:
    """A thousand holes are no thousand messages, and none is left out."""
    gap = Gap("t", "gw-1", 1, [(10 * n, 10 * n + 3) for n in range(1000)])
    bodies = [orjson.loads(command.payload) for command in commands(gap, "nabd")]
    assert len(bodies) == RANGES
    assert (bodies[0]["from"], bodies[0]["to"]) == (0, 3)
    assert (bodies[-1]["from"], bodies[-1]["to"]) == (10 * (RANGES - 1), 9993)
