"""Live values: the newest of each meter, posted no more often than agreed, and never trusted when they arrive."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.live import LiveBook, LiveMeter, LivePoster
from gateway.message import Info, MeterInfo, Topics, encode_live
from gateway.transport import Message

TOPICS = Topics("t", "gw")


@dataclass
class Wire:
    """An uplink whose connection keeps what is posted."""

    posted: list[Message] = field(default_factory=list)

    connection: Any = None

    def __post_init__(self) -> None:
        """Stand in for a connection."""
        self.connection = self

    def post(self, message: Message) -> None:
        """Keep a message."""
        self.posted.append(message)


def info() -> Message:
    """Make the birth document of one meter."""
    meter = MeterInfo(id="gw_a", name="a", commodity="water", model="M", every=5, quantities={})
    return Message(TOPICS.of("info"), Info(meters=[meter]).model_dump_json().encode())


def test_a_book_learns_meters_and_values_from_topics() -> None:
    """The birth document names a meter, live documents fill it, newest first."""
    book = LiveBook()
    book.hear(info())
    book.hear(Message(TOPICS.of("live", "gw_a"), encode_live(2000, "gw_a", 1, {"water_volume_l": 7})))
    book.hear(Message(TOPICS.of("live", "gw_a"), encode_live(1000, "gw_a", 0, {"water_volume_l": 6})))
    meter = book.meters()[0]
    assert (meter.ts, meter.q, meter.values, meter.every) == (2000, 1, {"water_volume_l": 7}, 5)


def test_a_new_birth_document_keeps_the_values() -> None:
    """A gateway that connects again does not blank the page."""
    book = LiveBook()
    book.hear(info())
    book.hear(Message(TOPICS.of("live", "gw_a"), encode_live(2000, "gw_a", 0, {"water_volume_l": 7})))
    book.hear(info())
    assert book.meters()[0].ts == 2000


def test_rubbish_is_counted_and_dropped() -> None:
    """Nothing that arrives can stop the hub's pages."""
    book = LiveBook()
    not_live = (
        b"",
        b"[]",
        b"{}",
        b'{"meter":"x"}',
        b'{"meter":"x","ts":"soon"}',
        b"\x78",
        b'{"meter":"x","ts":Infinity}',
    )
    for payload in not_live:
        book.hear(Message(TOPICS.of("live", "gw_a"), payload))
    book.hear(Message("other", b"{}"))
    book.hear(Message(TOPICS.of("info"), b"nonsense"))
    assert book.meters() == []
    assert book.dropped == 9


def test_posts_keep_their_distance_and_expire() -> None:
    """At most one a second and meter, retained for three intervals."""
    wire, poster = Wire(), LivePoster(TOPICS, 1.0)
    poster.post("gw_a", 0, 0, {"power_w": 1}, 0.1)
    assert wire.posted == []
    poster.uplink = wire
    for ts in range(0, 5000, 100):
        poster.post("gw_a", ts, 0, {"power_w": 1}, 0.1)
    assert 5 <= len(wire.posted) <= 6
    assert wire.posted[0].topic == "nabd/v1/t/gw/live/gw_a"
    assert wire.posted[0].retain
    assert wire.posted[0].expiry == 3
    assert orjson.loads(wire.posted[0].payload) == {"v": 1, "ts": 0, "meter": "gw_a", "q": 0, "power_w": 1}


def test_a_meter_as_slow_as_the_limit_is_always_posted() -> None:
    """Jitter of a poll does not make every second value miss its turn."""
    wire, poster = Wire(), LivePoster(TOPICS, 1.0)
    poster.uplink = wire
    for step in range(20):
        poster.post("gw_a", step * 1000 - (step % 2) * 40, 0, {}, 1.0)
    assert len(wire.posted) == 20


def test_what_is_known_first_is_shown_first() -> None:
    """The order of the configuration is the order of the page; readings of strangers are left out."""
    book = LiveBook()
    for name in "ba":
        book.know(LiveMeter(name, name, "gas", "M", 1.0))
    book.update("stranger", 1, 0, {})
    assert [meter.id for meter in book.meters()] == ["b", "a"]


def test_a_new_connection_hears_what_was_read_before_it() -> None:
    """A broker that restarted empty has every live value again at once; meters never read are left out."""
    book, poster = LiveBook(), LivePoster(TOPICS, 1.0)
    for name in "ab":
        book.know(LiveMeter(name, name, "gas", "M", 5.0))
    book.update("b", 7000, 0, {"gas_volume_l": 1})
    (message,) = poster.newest(book)
    assert message.topic.endswith("/live/b")
    assert message.expiry == 15


def test_a_clock_set_back_freezes_no_page_and_no_topic() -> None:
    """T2: an hour back, the next reading is posted and shown; one that is merely late is not shown."""
    wire, poster, book = Wire(), LivePoster(TOPICS, 5.0), LiveBook()
    poster.uplink = wire
    book.know(LiveMeter("m", "m", "gas", "M", 10.0))
    for ts in (10_000_000, 6_400_000, 6_350_000):
        poster.post("m", ts, 0, {}, 10.0)
        book.update("m", ts, 0, {"power_w": ts})
    assert [orjson.loads(message.payload)["ts"] for message in wire.posted[:2]] == [10_000_000, 6_400_000]
    assert book.meters()[0].ts == 6_400_000


def test_two_tenants_meters_of_one_id_stay_apart() -> None:
    """Whose a value is, its topic says; a document cannot."""
    book, other = LiveBook(), Topics("other", "gw")
    meter = MeterInfo(id="gw_a", name="theirs", commodity="gas", model="M", every=5, quantities={})
    book.hear(info())
    book.hear(Message(other.of("info"), Info(meters=[meter]).model_dump_json().encode()))
    book.hear(Message(other.of("live", "gw_a"), encode_live(2000, "gw_a", 1, {"gas_volume_l": 7})))
    book.hear(Message(other.of("live", "gw_b"), b'{"meter":"gw_a","ts":3000,"tenant":"t"}'))
    assert book.tenants() == ["t", "other"]
    ours, theirs = book.of("t")[0], book.of("other")[0]
    assert (ours.name, ours.commodity, ours.ts, ours.values) == ("a", "water", 0, {})
    assert (theirs.name, theirs.commodity, theirs.ts) == ("theirs", "gas", 3000)
    assert book.of("nobody") == []
    assert len(book.meters()) == 2


def test_a_meter_that_left_is_shown_no_longer() -> None:
    """A gateway forgets meters of its own; one that was never there is no mistake."""
    book = LiveBook("home")
    book.know(LiveMeter("m", "m", "gas", "M", 1.0))
    book.forget("other")
    assert [meter.tenant for meter in book.of("home")] == ["home"]
    book.forget("m")
    assert book.of("home") == []


def test_no_gateway_speaks_for_anothers_meter() -> None:
    """Neither its name nor its value changes, and what was tried is counted."""
    book, other = LiveBook(), Topics("t", "foreign")
    book.hear(info())
    book.hear(Message(TOPICS.of("live", "gw_a"), encode_live(2000, "gw_a", 0, {"water_volume_l": 7})))
    mine = MeterInfo(id="gw_a", name="mine", commodity="water", model="M", every=5, quantities={})
    book.hear(Message(other.of("info"), Info(meters=[mine]).model_dump_json().encode()))
    book.hear(Message(other.of("live", "gw_a"), encode_live(3000, "gw_a", 0, {"water_volume_l": 99})))
    (meter,) = book.meters()
    assert (meter.name, meter.ts, meter.values, book.refused) == ("a", 2000, {"water_volume_l": 7}, 1)
