"""Which rules watch a meter: what is enabled, with the options of its table."""

from dataclasses import MISSING, replace
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.alerts.calendar import Calendar
from gateway.alerts.catalogue import Entry, rules_of
from gateway.alerts.hub_catalogue import ENTRIES
from gateway.alerts.rules.overload import Overload
from gateway.alerts.rules.water import WaterLeak
from gateway.alerts.settings import MeterSettings
from gateway.config.alerts import AlertsTable
from gateway.config.load import load
from gateway.config.rules.tariff import BudgetTable, TariffAdviceTable
from gateway.tariff.model import Plan, Rate
from tests.support.money import NAME, tariff

DAY = 1_795_219_200_000 // 86_400_000 * 86_400_000
UTC = Calendar()
KNOWN = MeterSettings(rating_a=63.0)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.rule.name)
def test_the_defaults_are_those_of_the_catalogue(entry: Entry) -> None:
    """What a table says by default is what the rule itself has as default."""
    table = getattr(AlertsTable(), entry.rule.name).model_dump(exclude={"enabled"})
    bare = {name: field.default for name, field in entry.rule.__dataclass_fields__.items()}
    bare = {name: default for name, default in bare.items() if default is not MISSING}
    for name in table.keys() & bare.keys():
        assert table[name] == bare[name], name


def test_every_rule_has_its_own_name() -> None:
    """A rule is found by its name in files, events and texts."""
    names = [entry.rule.name for entry in ENTRIES]
    assert len(set(names)) == len(names)


def test_without_a_main_fuse_nobody_watches_it() -> None:
    """A rating is asked at installation, and never guessed."""
    with_fuse = {rule.name for rule in rules_of(AlertsTable(), UTC, KNOWN)}
    assert with_fuse - {rule.name for rule in rules_of(AlertsTable(), UTC, MeterSettings())} == {"overload"}


def test_what_the_file_says_is_what_runs(tmp_path: Path) -> None:
    """Rules can be switched off and tuned in the file; nights are the gateway's own."""
    path = tmp_path / "home.toml"
    path.write_text(
        '[gateway]\nzone = "Asia/Riyadh"\n[alerts.meter_offline]\nenabled = false\n'
        '[alerts.overload]\ndwell = "2m"\nwarn_at = 0.95\n'
        '[alerts.water_leak]\nsure_after = "12h"\nnight_from = "8h"\nnight_to = "13h"\nnights = 2\n'
    )
    config = load(path, "home", {})
    calendar = config.alerts.calendar.of(config.gateway.zone)
    rules = {rule.name: rule for rule in rules_of(config.alerts, calendar, MeterSettings(rating_a=40))}
    overload, water = rules["overload"], rules["water_leak"]
    assert "meter_offline" not in rules
    assert overload == Overload(40, dwell=120, warn_at=0.95)
    assert isinstance(water, WaterLeak)
    assert (water.sure_after, water.nights) == (43_200, 2)
    assert water.night_of(DAY) == (DAY + 5 * 3_600_000, DAY + 10 * 3_600_000)


def test_rules_about_money_need_what_they_judge() -> None:
    """A tariff, its tiers and hours, offers, a budget; a plant for its export."""
    told = AlertsTable(
        tariff_advice=TariffAdviceTable.model_construct(offers=(tariff("other"), tariff("abroad", zone="Asia/Riyadh")))
    )
    tiered = Rate(NAME, (Decimal("0.1"), Decimal("0.3")))
    by_the_hour = Plan(tariff(rates=(replace(tiered, hours=((68, 80),)), tiered), tiers=(300,)))

    def names(plan: Plan | None, about: MeterSettings) -> set[str]:
        rules = rules_of(told, UTC, about, "hub", plan)
        return {rule.name for rule in rules} - {"baseload_increase", "data_quality"}

    assert names(None, MeterSettings(bill_limit=50)) == set()
    assert names(Plan(tariff()), MeterSettings()) == {"bill_projection", "tariff_advice"}
    assert names(Plan(tariff()), MeterSettings(bill_limit=50, pv=True)) == {
        "bill_projection", "tariff_advice", "budget", "pv_fault"
    }  # fmt: skip
    assert names(by_the_hour, MeterSettings()) == {
        "bill_projection", "tariff_advice", "tier_crossing", "peak_price_use"
    }  # fmt: skip
    told = told.model_copy(update={"budget": BudgetTable(electricity=50.0)})
    assert names(Plan(tariff()), MeterSettings()) == {"bill_projection", "tariff_advice", "budget"}
    assert names(Plan(replace(tariff(), commodity="gas")), MeterSettings()) == {"bill_projection"}
