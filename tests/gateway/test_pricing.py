"""Tariffs that change while a program runs: what is priced next is priced by them."""

import asyncio
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway.alerts.event import AlertEvent, alert_id
from gateway.config import load
from gateway.config.tariff import TariffTable
from gateway.home import House
from gateway.hub import Hub
from gateway.notify.costs import Costs
from gateway.pricing import Pricing
from gateway.reload import Reloader, needs_start
from gateway.settings import UNKNOWN_METER
from gateway.tariff.model import Rate
from tests.support.money import METER, NAME, ms, tariff

if TYPE_CHECKING:
    from gateway.config.customers import HomeConfig, HubConfig

DEARER = tariff("dearer", rates=(Rate(NAME, (Decimal("0.20"),)),))
ROUND = tariff()
HOME = '[store]\npath = "s"\n[web]\nlisten = "127.0.0.1:0"\n{}'
HUB = '[mqtt]\nurl = "mqtt://127.0.0.1:1"\n[store]\npath = "s"\n{}'


def table(**tariffs: Any) -> TariffTable:
    """Make a table without a file."""
    return TariffTable.model_construct(**tariffs)


def test_costs_follow_the_tariffs_in_force() -> None:
    """Whoever was given the way to ask before the change hears of it, and of a tariff that was taken out."""
    pricing = Pricing(table(electricity=ROUND), lambda: 0)

    async def nothing(_tenant: str, _meter: str) -> dict[str, Any]:
        return {}

    costs = Costs(nothing, pricing.plan, lambda *_: UNKNOWN_METER)
    high = AlertEvent(
        id=alert_id("high_usage", METER, 1), seq=1, rule="high_usage", meter=METER, state="raised", severity="info",
        raised=1, at=1_780_000_000_000, value=9000, unit="Wh", quantity="energy_import_wh",
        evidence={"above_wh": 5300.0},
    )  # fmt: skip

    def cost() -> Decimal | None:
        made = asyncio.run(costs.of("home", high))
        return made.cost if made is not None else None

    assert cost() == Decimal("0.53")
    assert pricing.change(table(electricity=DEARER, water=ROUND)) == {"tariffs": 2}
    assert cost() == Decimal("1.06")
    assert pricing.change(table(electricity=DEARER, water=ROUND)) == {}
    assert pricing.change(table()) == {"tariffs": 2}
    assert cost() is None


def test_a_tariff_that_is_over_is_a_fault_until_it_is_replaced() -> None:
    """The operator's word ends with the reload."""
    pricing = Pricing(table(electricity=ROUND), lambda: ms("2100-01-01"))
    assert "out of date" in pricing.fault()
    pricing.change(table())
    assert pricing.fault() == ""


@pytest.mark.parametrize(("kind", "text"), [("home", HOME), ("hub", HUB)])
def test_a_changed_table_needs_no_new_start(tmp_path: Path, kind: Any, text: str) -> None:
    """Neither one that comes, nor one that goes, nor a file of the tariff that was rewritten under its name."""
    shipped = (Path(__file__).parents[2] / "config/tariffs/flat_electricity.toml").read_text(encoding="utf-8")
    shipped = shipped.replace('"flat_electricity"', '"own"')
    (tmp_path / "tariffs").mkdir()
    own = tmp_path / "tariffs/own.toml"

    def loaded(tariffs: str, prices: str = shipped) -> Any:
        own.write_text(prices, encoding="utf-8")
        (tmp_path / "n.toml").write_text(text.format(tariffs), encoding="utf-8")
        return load(tmp_path / "n.toml", kind, {})

    without, priced = loaded(""), loaded('[tariff]\nelectricity = "own"\n')
    raised = loaded('[tariff]\nelectricity = "own"\n', shipped.replace("0.2875", "0.3011"))
    assert raised.tariff != priced.tariff
    for old, new in ((without, priced), (priced, raised), (raised, without)):
        assert needs_start(old, new) == []


class Told:
    """Parts of a program that have nothing to change."""

    connection = None

    async def change(self, *_: object) -> dict[str, int]:
        """Change nothing."""
        return {}

    async def enrol(self, *_: object) -> None:
        """Enrol nobody."""

    def info(self) -> Any:
        """Know no meters."""
        return self

    meters = ()
    alerts: Any = None


def test_both_programs_hand_a_reload_on(tmp_path: Path) -> None:
    """The answer counts what changed, and the prices are the new ones."""
    programs: list[tuple[Any, Any, str]] = [(House, "home", HOME), (Hub, "hub", HUB)]
    for make, kind, text in programs:
        file = tmp_path / f"{kind}.toml"
        file.write_text(text.format(""), encoding="utf-8")
        old: HomeConfig | HubConfig = load(file, kind, {})
        file.write_text(text.format('[tariff]\nwater = "saudi_water_residential"\n'), encoding="utf-8")
        program: Any = make.__new__(make)
        told = Told()
        program._telling = program._here = program._watch = program._database = told
        program._announcer, program._changed = None, asyncio.Event()
        program._config, program._outlooks, told.alerts = old, None, old.alerts
        program._pricing = Pricing(old.tariff, lambda: 0)
        reloader: Any = Reloader(old, partial(load, file, kind, {}), program.change)
        assert asyncio.run(reloader.run()) == {"tariffs": 1}
        plan = program._pricing.plan("water", None)
        assert plan is not None
        assert plan.tariff.name == "saudi_water_residential"
