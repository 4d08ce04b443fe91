"""What was heard of whom: filing, repetition, intervals, bounds."""

from drivers.wmbus.air import KEPT, MAX_SENDERS, REPEAT, Air
from simulator.wmbus_stick import WirelessMeter, im871a


class Clock:
    """Milliseconds that a test moves."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        """Give them."""
        return self.now


def meter(number: str = "21050003") -> WirelessMeter:
    """Make a meter."""
    return WirelessMeter(number, 7, lambda: {"water_volume": 1.0})


def test_the_interval_is_learnt() -> None:
    """It is the middle of the last gaps, so that a missed frame does not change it."""
    clock, talker = Clock(), meter()
    air = Air(clock)
    for gap in (0, 16, 16, 32, 16):
        clock.now += gap * 1000
        air.feed(im871a(talker.frame()))
    (sender,) = air.senders("21050003")
    assert (sender.interval, sender.last.signal, sender.last.at) == (16, -73, 80_000)
    assert list(air.senders("KAM21050003")) == []
    assert list(air.senders("NBD21050003")) == [sender]


def test_a_repetition_is_none_later() -> None:
    """The same bytes count again once no repeater can have sent them."""
    clock = Clock()
    air, frame = Air(clock), im871a(meter().frame())
    assert len(air.feed(frame)) == 1
    clock.now = REPEAT - 1
    assert air.feed(frame) == []
    clock.now = REPEAT
    assert len(air.feed(frame)) == 1
    assert air.counters == {"repeated": 1}


def test_the_list_of_senders_is_bounded() -> None:
    """A town of meters, or somebody who invents some, does not push out those that are wanted."""
    air = Air(Clock())
    air.feed(im871a(meter().frame()))
    (mine,) = air.senders("21050003")
    for number in range(MAX_SENDERS + 50):
        air.feed(im871a(meter(f"{number:08}").frame()))
    assert list(air.senders("21050003")) == [mine]
    assert list(air.senders("00000001")) == []
    assert len(list(air.senders(""))) == MAX_SENDERS


def test_frames_wait_for_their_reader_in_bounds() -> None:
    """The last ones are kept."""
    air, talker = Air(Clock()), meter()
    numbers = [heard.number for _ in range(KEPT + 3) for heard in air.feed(im871a(talker.frame()))]
    (sender,) = air.senders("21050003")
    assert [heard.number for heard in sender.frames] == numbers[-KEPT:]


def test_a_message_in_several_frames_is_heard_once() -> None:
    """It is filed when its last part came, as one frame with all records."""
    air = Air(Clock())
    head = "44 2D2C 78563412 1B16 90 02"
    parts = [bytes.fromhex(f"{head} 0140 7A 01 00 0000 0413"), bytes.fromhex(f"{head} 0200 31D40000")]
    frames = [bytes((len(part),)) + part for part in parts]
    assert [len(air.feed(im871a(frame))) for frame in frames] == [0, 1]
    (sender,) = air.senders("KAM12345678")
    assert sender.last.frame.payload == bytes.fromhex("90 02 0000 7A 01 00 0000 0413 31D40000")
