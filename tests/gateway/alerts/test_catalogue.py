"""Which rules watch a meter: what is enabled, with the options of its table."""

from pathlib import Path

from gateway.alerts.catalogue import rules_of
from gateway.alerts.rules.meter_clock import MeterClock
from gateway.alerts.rules.overload import Overload
from gateway.alerts.rules.silence import Silence
from gateway.alerts.rules.water import WaterLeak
from gateway.config.alerts import AlertsTable
from gateway.config.load import load

DAY = 1_795_219_200_000 // 86_400_000 * 86_400_000


def test_the_defaults_are_those_of_the_catalogue() -> None:
    """What a table says by default is what the rule itself has as default."""
    silence, clock, overload, water = rules_of(AlertsTable(), "UTC", 63.0)
    assert silence == Silence()
    assert clock == MeterClock()
    assert overload == Overload(63.0)
    assert isinstance(water, WaterLeak)
    assert water == WaterLeak(water.night_of)


def test_without_a_main_fuse_nobody_watches_it() -> None:
    """A rating is asked at installation, and never guessed."""
    assert [rule.name for rule in rules_of(AlertsTable(), "UTC", None)] == [
        "meter_offline", "meter_clock", "water_leak",
    ]  # fmt: skip


def test_what_the_file_says_is_what_runs(tmp_path: Path) -> None:
    """Rules can be switched off and tuned in the file; nights are the gateway's own."""
    path = tmp_path / "home.toml"
    path.write_text(
        '[gateway]\nzone = "Asia/Riyadh"\n[alerts.meter_offline]\nenabled = false\n'
        '[alerts.overload]\ndwell = "2m"\nwarn_at = 0.95\n'
        '[alerts.water_leak]\nsure_after = "12h"\nnight_from = "8h"\nnight_to = "13h"\nnights = 2\n'
    )
    config = load(path, "home", {})
    _, overload, water = rules_of(config.alerts, config.gateway.zone, 40)
    assert overload == Overload(40, dwell=120, warn_at=0.95)
    assert isinstance(water, WaterLeak)
    assert (water.sure_after, water.nights) == (43_200, 2)
    assert water.night_of(DAY) == (DAY + 5 * 3_600_000, DAY + 10 * 3_600_000)
