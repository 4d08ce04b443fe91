"""What is written to flash: a rate over the last day, told in time and not too soon."""

from pathlib import Path

from gateway.flash import DAY, LIMIT, FlashMeter, block_size


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
