"""A station whose meters come and go while it runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drivers.contract import Reading
from gateway.commission.serials import remember
from gateway.config import EdgeConfig
from gateway.intake import ProfileRow
from gateway.station import station
from tests.support.small_edge import small_station

if TYPE_CHECKING:
    from gateway.alerts.event import AlertEvent


def configured(folder: Path, *names: str, more: str = "") -> EdgeConfig:
    """Load a configuration with these meters."""
    return small_station(folder, *names, more=more, each="rating_a = 25")


def overloaded(meter: str, seconds: int) -> Reading:
    """Make a reading of far more than the main fuse carries, so many seconds after the first."""
    return Reading(meter, 1_000_000 + seconds * 1000, {"current_a": 80.0, "power_w": 18_400.0})


async def test_what_rules_and_checks_remember_outlives_a_change(tmp_path: Path) -> None:
    """A meter that stays keeps its state and its open alert; one that goes is known nowhere, its alert over."""
    async with station(configured(tmp_path, "stays", "goes"), None) as here:
        for second in range(0, 90, 10):
            for name in ("stays", "goes"):
                here.intake.take(overloaded(f"gw_{name}", second))
        assert here.alerts["raised"] == 2
        engine, remembered = here.alerting.engine, here.alerting.engine.snapshot("gw_stays")
        done = await here.change(configured(tmp_path, "stays", more='[alerts.meter_offline]\nleast = "20m"\n'))
        assert done == {"added": 0, "removed": 1, "changed": 0}
        assert here.alerting.engine is not engine
        assert here.alerting.engine.snapshot("gw_stays") == remembered
        assert here.alerts["cleared"] + here.alerts["expired"] == 1
        assert [meter.id for meter in here.book.meters()] == ["gw_stays"]
        assert list(here.intake.meters) == ["gw_stays"]
        assert [meter.id for meter in here.info().meters] == ["gw_stays"]
        here.intake.take(overloaded("gw_stays", 100))
        assert here.alerts["raised"] == 2, "an open alert is not raised again"


async def test_a_rule_switched_off_ends_its_alert(tmp_path: Path) -> None:
    """Nobody would ever tell that it is over otherwise."""
    async with station(configured(tmp_path, "m"), None) as here:
        for second in range(0, 90, 10):
            here.intake.take(overloaded("gw_m", second))
        told: list[AlertEvent] = []
        here.alerting.listeners.append(told.append)
        await here.change(configured(tmp_path, "m", more="[alerts.overload]\nenabled = false\n"))
        assert [event.rule for event in told] == ["overload"]
        assert not told[0].open


async def test_rows_of_the_past_do_not_move_what_a_restart_goes_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heard again after a crash, they would set the check back, and their gap would be asked for a second time."""
    config = configured(tmp_path, "m")
    async with station(config, None) as here:
        here.intake.take(Reading("gw_m", 1_000_000, {"energy_import_wh": 5000}))
        state = here.alerting.checker.snapshot()
        last = (here.clock.offset or 0) + 1_000_000
        for number in range(40, 0, -1):
            row = ProfileRow("gw_m", 1_000_000, {"energy_import_wh": 5000 - number}, captured=last - number * 900_000)
            here.intake.take(row)
        monkeypatch.setattr(here.alerting, "keep", lambda: None)  # as when killed: states are older than the rows
    async with station(config, None) as here:
        assert here.alerting.checker.snapshot() == state
        assert abs(here.backfill.before["gw_m"] - last) <= 100
        assert here.status()["backfill"]["gaps"] == 0


async def test_the_birth_document_tells_the_serial_numbers_of_commissioned_meters(tmp_path: Path) -> None:
    """A back end knows which meter hangs there; one that nobody commissioned yet has none."""
    async with station(configured(tmp_path, "known", "new"), None) as here:
        remember(here.config.journal.folder, {"gw_known": "12345678"})
        assert {meter.id: meter.serial for meter in here.info().meters} == {"gw_known": "12345678", "gw_new": ""}
