"""The clock: whom it believes, what it stamps, and what a step of the wall clock does."""

import os
import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import example, given, strategies

from gateway.clock import TABLE, Clock, SystemProbe, boot_ms, kernel_synced, wall_ms
from gateway.message import ClockState

TRUE = 1_795_219_200_000


class World:
    """A board whose clocks a test moves by hand."""

    def __init__(self, wall: int = TRUE) -> None:
        self.wall_now, self.boot_now = wall, 50_000
        self.evidence: ClockState = "synced"
        self.age = 0
        self.clock = Clock("auto", self.wall, self.boot, lambda: (self.evidence, self.age), boot_id="boot-1")

    def wall(self) -> int:
        """UTC as the system believes it."""
        return self.wall_now

    def boot(self) -> int:
        """Ms since boot."""
        return self.boot_now

    def passes(self, ms: int) -> None:
        """Let time go on."""
        self.wall_now += ms
        self.boot_now += ms


def test_an_unsynced_clock_stamps_nothing() -> None:
    """From 1970 nothing gets a time; after the step every moment of this boot has one through the offset."""
    world = World(wall=12_345)
    world.evidence = "unsynced"
    taken = world.boot_now
    assert (world.clock.state, world.clock.stamp(taken), world.clock.offset) == ("unsynced", None, None)
    world.passes(5 * 60_000)
    world.wall_now = TRUE + 5 * 60_000
    world.evidence = "synced"
    assert world.clock.state == "synced"
    offset = world.clock.offset
    assert offset is not None
    assert taken + offset == TRUE


def test_a_moment_is_stamped_as_of_then() -> None:
    """A reading stamped two seconds after it was taken gets the time it was taken at."""
    world = World()
    taken = world.boot_now
    world.passes(2000)
    assert world.clock.stamp(taken) == TRUE


def test_once_synced_then_alone_is_holdover() -> None:
    """A clock that was right in this boot keeps stamping, and says how far it may have drifted."""
    world = World()
    seen = [world.clock.state]
    world.evidence = "unsynced"
    world.passes(10_000_000)
    assert [*seen, world.clock.state] == ["synced", "holdover"]
    assert world.clock.stamp(world.boot_now) == world.wall_now
    assert world.clock.error_ms == 1000


def test_trusting_the_system_asks_nobody() -> None:
    """Sites without NTP are synced by decision."""

    def probe() -> tuple[ClockState, int]:
        raise AssertionError

    clock = Clock("system", lambda: TRUE, lambda: 5, probe, boot_id="b")
    assert (clock.state, clock.stamp(5), clock.offset) == ("synced", TRUE, TRUE - 5)


def test_witnesses_are_asked_once_a_second() -> None:
    """Stamping a burst of readings costs one probe."""
    world = World()
    asked: list[int] = []

    def probe() -> tuple[ClockState, int]:
        asked.append(world.boot_now)
        return "synced", 0

    clock = Clock("auto", world.wall, world.boot, probe, boot_id="b")
    for _ in range(50):
        clock.stamp(world.boot_now)
        world.passes(10)
    assert len(asked) == 1
    world.passes(600)
    clock.stamp(world.boot_now)
    assert len(asked) == 2


@given(strategies.lists(strategies.integers(250, 5000), min_size=3, max_size=60), strategies.integers(1, 3_600_000))
def test_no_stamp_comes_twice_after_a_step_back(gaps: list[int], step: int) -> None:
    """However the readings lie, a step back of up to an hour repeats no millisecond; time still is true to 1 ms."""
    world = World()
    stamps = []
    for at, gap in enumerate(gaps):
        if at == len(gaps) // 2:
            world.wall_now -= step
        world.passes(gap)
        stamp = world.clock.stamp(world.boot_now)
        assert stamp is not None
        assert abs(stamp - world.wall_now) <= 1
        stamps.append(stamp)
    assert len(set(stamps)) == len(stamps)


def test_a_step_forward_is_followed_at_once() -> None:
    """Thirty days ahead: the next stamp is there, and no step back is counted."""
    world = World()
    world.clock.stamp(world.boot_now)
    world.wall_now += 30 * 86_400_000
    assert world.clock.stamp(world.boot_now) == world.wall_now
    assert world.clock.steps_back == 0


@pytest.mark.parametrize(("file", "kernel", "daemon"), list(product((True, False), repeat=3)))
def test_every_combination_of_witnesses(tmp_path: Path, file: bool, kernel: bool, daemon: bool) -> None:
    """The system's probe gives what the table says for each of the eight combinations."""
    synchronized, pid = tmp_path / "synchronized", tmp_path / "chronyd.pid"
    if file:
        synchronized.touch()
    if daemon:
        pid.touch()
    probe = SystemProbe(wall_ms, lambda: 60_000, synchronized, (pid,), lambda: kernel)
    assert probe()[0] == TABLE[file, kernel, daemon]


def test_the_manual_shows_the_table() -> None:
    """T12: what docs/reference/time.md says of each combination is what the clock does."""
    page = Path(__file__).parents[2] / "docs" / "reference" / "time.md"
    rows = re.findall(r"(?m)^\| (yes|no) \| (yes|no) \| (yes|no) \| `(\w+)` \|$", page.read_text(encoding="utf-8"))
    assert {tuple(cell == "yes" for cell in cells): state for *cells, state in rows} == TABLE


def test_the_kernel_alone_proves_nothing() -> None:
    """A flag nobody here maintains never makes a clock synced, nor does a daemon that has not succeeded yet."""
    assert TABLE[False, True, False] == TABLE[False, False, True] == TABLE[False, False, False] == "unsynced"


def test_a_file_of_an_earlier_boot_proves_nothing(tmp_path: Path) -> None:
    """What timesyncd touched before this start of the board is not believed."""
    synchronized = tmp_path / "synchronized"
    synchronized.touch()
    old = wall_ms() / 1000 - 3600
    os.utime(synchronized, (old, old))
    probe = SystemProbe(wall_ms, lambda: 60_000, synchronized, (), lambda: True)
    assert probe() == ("unsynced", 0)


def test_what_timesyncd_touched_last_is_the_last_correction(tmp_path: Path) -> None:
    """A program that starts in holdover knows how long the clock has been alone: the file says it."""
    synchronized = tmp_path / "synchronized"
    synchronized.touch()
    old = wall_ms() / 1000 - 3600
    os.utime(synchronized, (old, old))
    state, age = SystemProbe(wall_ms, lambda: 86_400_000, synchronized, (), lambda: False)()
    assert state == "holdover"
    assert age == pytest.approx(3_600_000, abs=2000)


@example(100_001)
@given(strategies.integers(0, 7 * 86_400))
def test_a_week_alone_on_a_crystal_that_is_off(seconds: int) -> None:
    """T13: at 100 ppm the estimate is never below the true error, and no stamp is given that is over 10 s off."""
    world = World()
    assert world.clock.state == "synced"
    world.evidence = "unsynced"
    world.boot_now += seconds * 1000
    world.wall_now += round(seconds * 1000 * (1 + 100e-6))
    true = TRUE + seconds * 1000
    stamp, error = world.clock.stamp(world.boot_now), world.clock.error_ms
    if seconds * 1000 > 10_000 / 100e-6:
        assert (world.clock.state, stamp, error, world.clock.offset) == ("unsynced", None, None, None)
    else:
        assert stamp is not None
        assert error is not None
        assert abs(stamp - true) <= error + 2
        assert error <= 10_000


def test_a_clock_given_up_is_believed_again_once_corrected() -> None:
    """T13: two days without correction, then one: unsynced, then synced with no estimated error."""
    world = World()
    seen: list[tuple[str, int | None]] = []
    for evidence, days in (("synced", 0), ("unsynced", 1), ("unsynced", 1), ("synced", 0)):
        world.evidence = evidence  # type: ignore[assignment]
        world.passes(days * 86_400_000 + 1000)
        seen.append((world.clock.state, world.clock.error_ms))
    assert [state for state, _ in seen] == ["synced", "holdover", "unsynced", "synced"]
    assert seen[1][1] == pytest.approx(8640, abs=1)
    assert seen[3][1] == 0


def test_a_touched_file_ends_the_growth_of_the_error() -> None:
    """Where the kernel's flag is never set, in a container, each touch of timesyncd's file is a correction."""
    world = World()
    world.evidence = "holdover"
    for _ in range(20):
        world.passes(86_400_000)
        world.age = 2_000_000
        assert (world.clock.state, world.clock.error_ms) == ("holdover", 200)


def test_the_real_clocks_answer() -> None:
    """The kernel can be asked without any right; the boot clock goes on and the boot has an id a block can carry."""
    assert kernel_synced() in (True, False)
    first = boot_ms()
    assert boot_ms() >= first > 0
    assert 1 <= len(Clock().boot_id) <= 64
