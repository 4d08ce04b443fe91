"""Facts of a box, judged; and how they are read from its files."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.doctor.box import FULL, BoxFacts, DiskFacts, judge_box, judge_disk, probe_box, probe_disk

WELL = BoxFacts("synced", 1_700_000_000.0, ("journal", 1_699_999_999.0))
DISK = DiskFacts("/state", FULL * 10)


def test_a_box_in_order_has_nothing() -> None:
    """Network, time, supply, disk: nothing to say; and a clock on its own for a while is no fault."""
    assert judge_box(WELL) == judge_box(replace(WELL, clock="holdover")) == judge_disk(DISK) == []
    assert judge_box(replace(WELL, throttled=0)) == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(WELL, network=False), "no_network"),
        (replace(WELL, clock="unsynced"), "clock_unsynced"),
        (replace(WELL, newest=("journal", WELL.now + 3600)), "clock_wrong"),
        (replace(WELL, throttled=0x1), "undervoltage"),
        (replace(WELL, throttled=0x10000), "undervoltage_past"),
    ],
)
def test_each_fault_of_a_box_is_named_alone(facts: BoxFacts, code: str) -> None:
    """One fault, one code."""
    assert [finding.code for finding in judge_box(facts)] == [code]


@pytest.mark.parametrize("word", [0x4, 0x8, 0x40000, 0x80000])
def test_heat_is_not_taken_for_a_weak_supply(word: int) -> None:
    """The other bits of the word tell of temperature."""
    assert judge_box(replace(WELL, throttled=word)) == []


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(DISK, free=FULL - 1), "disk_full"),
        (replace(DISK, error="Read-only file system"), "disk_read_only"),
        (replace(DISK, worn={"mmcblk0": 80}), "card_worn"),
        (replace(DISK, wear="3.0 GB a day are written to flash"), "card_wears"),
    ],
)
def test_each_fault_of_a_disk_is_named_alone(facts: DiskFacts, code: str) -> None:
    """One fault, one code."""
    assert [finding.code for finding in judge_disk(facts)] == [code]


def test_a_real_disk_is_read(tmp_path: Path) -> None:
    """Free bytes of the folder, or of where it will be made; files that are not there say nothing."""
    facts = probe_disk(tmp_path / "not" / "yet", 10.0, tmp_path)
    assert facts.free is not None
    assert facts.free > 0
    assert (facts.error, facts.worn) == ("", {})


def test_a_real_read_only_file_system_is_seen() -> None:
    """One that is mounted read-only, where this machine has one."""
    rows = [row.split() for row in Path("/proc/self/mounts").read_text().splitlines()]
    places = [Path(row[1]) for row in rows if "ro" in row[3].split(",") and Path(row[1]).is_dir()]
    if not places:
        pytest.skip("nothing is mounted read-only here")
    assert judge_disk(replace(probe_disk(places[0], 10.0), free=FULL))[0].code == "disk_read_only"


@pytest.mark.parametrize("text", ["", "no number", "\xff"])
def test_files_that_say_nonsense_say_nothing(tmp_path: Path, text: str) -> None:
    """A kernel that writes otherwise is no fault of the supply or the card."""
    for file in ("sys/devices/platform/soc/soc:firmware/get_throttled", "sys/block/mmcblk0/device/life_time"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(text)
    assert probe_box("synced", 0.0, [tmp_path / "gone"], tmp_path).throttled is None
    assert probe_disk(tmp_path, 10.0, tmp_path).worn == {}
