"""Virtual meters in a running station: journalled, shown, described and remembered like any meter."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from drivers.contract import DriverError, Number, Reading
from drivers.quantities import QUANTITIES
from gateway.check import Limits
from gateway.cli import main
from gateway.config import EdgeConfig
from gateway.discovery import configurations
from gateway.message import ESTIMATED, Topics
from gateway.station import Station, station
from gateway.virtual.build import limits_of
from gateway.virtual.compute import Plan
from tests.support.small_edge import small_station

REST = '[[virtual]]\nname = "rest"\nformula = "main - pump"\n'


def configured(folder: Path, more: str = REST) -> EdgeConfig:
    """Load a configuration of two meters and one computed of them."""
    return small_station(folder, "main", "pump", more=more)


def read(here: Station, second: int, main: float, pump: float) -> None:
    """Let both meters say their registers and powers, a second apart."""
    for late, (meter, energy) in enumerate((("gw_main", main), ("gw_pump", pump))):
        values: dict[str, Number] = {"energy_import_wh": energy, "power_w": energy / 10}
        here.intake.take(Reading(meter, 1_000_000 + (second + late) * 1000, values))


def shown(here: Station, meter: str = "gw_rest") -> Mapping[str, object]:
    """Give what the page shows of a meter."""
    return next(dict(row.values) for row in here.book.meters() if row.id == meter)


async def test_a_virtual_meter_is_a_meter(tmp_path: Path) -> None:
    """Journal, page, birth document and Home Assistant know it; it is counted as read."""
    posted: list[tuple[str, int]] = []
    async with station(configured(tmp_path), lambda meter, ts, *_: posted.append((meter, ts))) as here:
        read(here, 0, 5000, 1200)
        assert shown(here) == {"energy_import_wh": 3800, "power_w": 380}
        assert (here.intake.read, here.journal.next_seq) == (3, 4)
        assert [meter for meter, _ in posted] == ["gw_main", "gw_pump", "gw_rest"]
        assert posted[2][1] == posted[1][1], "it carries the time of the part read last"
        about = here.info().meters[2]
        assert (about.id, about.name, about.model, about.commodity) == (
            "gw_rest",
            "rest",
            "= main - pump",
            "electricity",
        )
        assert "voltage_v" not in about.quantities
        topics = configurations(here.info(), Topics("home", "gw", "nabd"), "homeassistant", 10)
        assert any("gw_rest_energy_import_wh" in topic for topic in topics)
        assert here.status()["virtual"] == {"made": 1}


async def test_what_a_difference_showed_outlives_a_restart(tmp_path: Path) -> None:
    """The register does not fall behind what was shown before, nor is that taken for a reset."""
    async with station(configured(tmp_path), None) as here:
        read(here, 0, 5000, 1200)
    async with station(configured(tmp_path), None) as here:
        read(here, 10, 5000, 1300)
        assert "energy_import_wh" not in shown(here)
        read(here, 20, 5200, 1300)
        assert shown(here)["energy_import_wh"] == 3900
        assert not here.alerting.checker.remarks


async def test_a_reload_brings_and_takes_virtual_meters(tmp_path: Path) -> None:
    """Like meters, without a new start."""
    async with station(configured(tmp_path, ""), None) as here:
        assert await here.change(configured(tmp_path)) == {"added": 1, "removed": 0, "changed": 0}
        read(here, 0, 5000, 1200)
        assert shown(here)["energy_import_wh"] == 3800
        assert await here.change(configured(tmp_path, "")) == {"added": 0, "removed": 1, "changed": 0}
        assert [meter.id for meter in here.book.meters()] == ["gw_main", "gw_pump"]
        read(here, 10, 5000, 1200)
        assert "gw_rest" not in here.intake.meters


async def test_an_estimate_keeps_its_bit(tmp_path: Path) -> None:
    """Bits that the parts gave stay beside those of the check."""
    more = REST + 'within = "1h"\n'
    async with station(configured(tmp_path, more), None) as here:
        here.intake.take(Reading("gw_main", 1_000_000, {"energy_import_wh": 5000}))
        here.intake.take(Reading("gw_pump", 1_060_000, {"energy_import_wh": 1200}))
        (row,) = [row for row in here.book.meters() if row.id == "gw_rest"]
        assert row.q & ESTIMATED


async def test_nobody_reads_what_is_computed(tmp_path: Path) -> None:
    """Who asks is told which meters to read."""
    async with station(configured(tmp_path), None) as here:
        with pytest.raises(DriverError, match=r"rest: is computed, not read \(read its parts: main, pump\)"):
            await here.read_now("rest")
        with pytest.raises(KeyError):
            await here.read_now("attic")


def test_the_command_says_what_to_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`nabd read` of a virtual meter names its parts, without a program that runs."""
    configured(tmp_path)
    assert main(["read", "rest", "-c", str(tmp_path / "edge.toml")]) == 2
    assert "rest: is computed, not read (read its parts: main, pump)" in capsys.readouterr().err


def test_a_sum_carries_what_its_parts_carry() -> None:
    """A building of many flats exceeds what any one connection could."""
    weights = {f"flat-{number}": Fraction(1) for number in range(20)} | {"half": Fraction(-1, 2)}
    plan = Plan("v", "v", "", weights, {}, (QUANTITIES["energy_import"], QUANTITIES["power"]), 10, 10)
    parts = dict.fromkeys(weights, Limits(rating_a=100))
    assert limits_of(plan, parts).rate == {"energy_import_wh": 20.5 * 69_000}
