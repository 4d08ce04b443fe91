"""What is written to flash: a rate over the last day, told in time and not too soon."""

from pathlib import Path

import pytest

from gateway.flash import DAY, LIMIT, FlashMeter, advice, block_size


class Kernel:
    """Counts as told."""

    written = 5_000_000

    def __call__(self) -> int:
        """Give the count."""
        return self.written


def no_commits() -> int:
    """Count none."""
    return 0


def test_the_rate_is_what_was_written_since_the_start() -> None:
    """What was written before does not count, and the first minute says nothing."""
    kernel = Kernel()
    meter = FlashMeter(100.0, no_commits, 4096, kernel)
    kernel.written += 1000
    assert meter.a_day(130.0) is None
    assert meter.a_day(100.0 + DAY / 10) == 10_000


def test_a_storm_today_is_not_hidden_by_quiet_weeks() -> None:
    """Only the last day counts."""
    kernel = Kernel()
    meter = FlashMeter(0.0, no_commits, 4096, kernel)
    for quarter in range(96 * 30):
        meter.look(quarter * 900.0)
    assert meter.warning(30 * DAY) == ""
    kernel.written += 2 * LIMIT
    rate = meter.a_day(30 * DAY)
    assert rate is not None
    assert 1.9 * LIMIT < rate < 2.1 * LIMIT
    assert meter.warning(30 * DAY).startswith("2.0 GB a day")


def test_the_warning_waits_a_quarter_of_an_hour_and_comes_above_a_gigabyte() -> None:
    """A start that writes much is no news, a lasting rate is; a gigabyte a day itself is still well."""
    kernel = Kernel()
    meter = FlashMeter(0.0, no_commits, 4096, kernel)
    kernel.written += 50_000_000
    assert meter.warning(600.0) == ""
    assert meter.warning(1000.0) != ""
    assert meter.warning(DAY / 20) == ""


def test_the_kernel_is_asked_itself() -> None:
    """Without more said, the count is this process's own and never falls."""
    meter = FlashMeter(0.0, no_commits, 4096)
    first = meter.a_day(100.0)
    assert first is not None
    assert first >= 0


def test_a_commit_costs_the_file_system_s_own_journal_too() -> None:
    """Three blocks for each that stands alone; those that come fast share them, one time in five seconds."""
    for commits, times in ((100, 100), (10**6, DAY / 5)):
        count = iter((5, 5 + commits))
        meter = FlashMeter(0.0, count.__next__, 1024, Kernel())
        assert meter.a_day(DAY) == times * 3 * 1024


def test_the_block_is_the_folder_s(tmp_path: Path) -> None:
    """A folder that is not there counts as one on a usual card."""
    assert block_size(tmp_path) == tmp_path.stat().st_blksize
    assert block_size(tmp_path / "missing") == 4096


MOUNTS = """/dev/root / ext4 rw,noatime 0 0
tmpfs /run tmpfs rw 0 0
/dev/sda1 /data ext4 rw,commit=60 0 0
/dev/sdb1 /often ext4 rw,commit=1 0 0
"""


@pytest.mark.parametrize(
    ("folder", "window", "said"),
    [
        (
            "/nowhere/journal",
            10.0,
            "/ is mounted to write down changes of files each 5 s: commit=60 spares flash up to 88 MB",
        ),
        ("/nowhere/journal", 60.0, ""),
        (
            "/often/journal",
            1.0,
            "/often is mounted to write down changes of files each 1 s: commit=60 spares flash up to 1044",
        ),
        ("/data/journal", 10.0, ""),
        ("/run/journal", 10.0, ""),
    ],
)
def test_a_mount_that_wears_flash_is_named(folder: str, window: float, said: str) -> None:
    """Only where a longer `commit` spares tens of megabytes a day, and with the figure."""
    words = advice(Path(folder), window, MOUNTS)
    assert words.startswith(said)
    assert bool(words) == bool(said)


def test_the_system_s_own_mounts_are_read(tmp_path: Path) -> None:
    """Without more said they are asked, and whatever they are nothing is raised."""
    assert isinstance(advice(tmp_path, 10.0), str)
