"""When blocks are old: by the time that passed, not by a clock that somebody set."""

from typing import TYPE_CHECKING

from gateway.journal.age import Expiry

if TYPE_CHECKING:
    from gateway.message import ClockState

DAY = 86_400.0
START = 1_795_219_200_000


class World:
    """Clocks by hand; `expiry` keeps a week."""

    def __init__(self) -> None:
        self.passed, self.off = 0.0, 0.0
        self.state: ClockState = "synced"
        self.expiry = Expiry(7 * DAY, self.wall, lambda: self.state, lambda: self.passed)

    def wall(self) -> int:
        """UTC ms, so many seconds wrong."""
        return START + round((self.passed + self.off) * 1000)

    def age(self) -> float | None:
        """How many days before the true moment blocks must have been closed to go."""
        before = self.expiry()
        return None if before is None else (START + self.passed * 1000 - before) / 1000 / DAY


def test_blocks_go_after_a_week() -> None:
    """On a right clock, day after day, and however it drifts."""
    world = World()
    for day in range(100):
        world.passed, world.off = day * DAY, day * 0.5
        age = world.age()
        assert age is not None
        assert abs(age - 7) < 0.001


def test_a_clock_put_ahead_makes_nothing_old() -> None:
    """T2: thirty days ahead, nothing goes for a week; set right again, all is as before."""
    world = World()
    assert world.age() == 7
    world.passed, world.off = DAY, 30 * DAY
    assert world.age() is None
    world.passed = 7.9 * DAY
    assert world.age() is None
    world.off = 0
    assert world.age() == 7


def test_a_clock_put_ahead_for_good_is_believed_in_time() -> None:
    """After another week what was there before is a week old on any clock."""
    world = World()
    world.age()
    world.off = 30 * DAY
    assert world.age() is None
    world.passed = 7 * DAY
    assert world.expiry() == world.wall() - 7 * DAY * 1000


def test_a_clock_set_back_keeps_more() -> None:
    """What lies in its future is not old."""
    world = World()
    world.age()
    world.off = -DAY
    assert world.age() == 8


def test_without_a_clock_nothing_goes() -> None:
    """And the first true time after it is believed at once."""
    world = World()
    world.state, world.off = "unsynced", -50 * 365 * DAY
    assert world.age() is None
    world.state, world.off = "synced", 0
    assert world.age() == 7
