"""What a meter's card says of its newest reading."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from drivers.contract import Number
from gateway import message
from gateway.live import LiveMeter
from gateway.outlook import Outlook
from gateway.web.view import Card, card, sections
from gateway.web.words import Words

NOW = 1_795_219_210_000
ENGLISH = Words("en")


def meter(
    commodity: str = "electricity",
    values: Mapping[str, Number | str] | None = None,
    *,
    age: float = 1.0,
    every: float = 10.0,
    q: int = 0,
) -> LiveMeter:
    """Make a meter read `age` seconds ago."""
    ts = NOW - round(age * 1000)
    return LiveMeter("gw_m", "Meter", commodity, "model", every, ts, q, {"power_w": 1.0} if values is None else values)


def lines_of(shown: Card) -> list[tuple[str, str, str]]:
    """List a card's values from top to bottom as plain text."""
    return [(line.label, line.number, line.unit) for line in [shown.main, *shown.lines] if line]


@pytest.mark.parametrize(
    ("commodity", "values", "expected"),
    [
        ("electricity", {"power_w": 850}, [("Now", "850", "W")]),
        ("electricity", {"power_w": -1250.5}, [("Now, to the grid", "1.25", "kW")]),
        ("electricity", {"power_import_w": 300, "power_export_w": 0}, [("Now", "300", "W")]),
        ("electricity", {"power_import_w": 0, "power_export_w": 900}, [("Now, to the grid", "900", "W")]),
        ("electricity", {"energy_import_wh": 5000}, [("Register", "5.0", "kWh")]),
        ("electricity", {"energy_import_t1_wh": 5000, "energy_import_t2_wh": 1000}, [("Register", "6.0", "kWh")]),
        (
            "electricity",
            {"energy_import_wh": 5000, "energy_import_t1_wh": 1, "energy_export_wh": 0},
            [("Register", "5.0", "kWh")],
        ),
        (
            "electricity",
            {"voltage_v": 1, "voltage_l1_v": 229.8, "voltage_l2_v": 231.4, "voltage_l3_v": 230.2},
            [("Voltage", "229.8 · 231.4 · 230.2", "V")],
        ),
        (
            "water",
            {"water_flow_l_h": 60, "water_volume_l": 1500},
            [("Now", "1.0", "L/min"), ("Register", "1.500", "m³")],
        ),
        ("gas", {"gas_volume_l": 7_412_318}, [("Register", "7,412.318", "m³")]),
        ("heat", {"heat_power_w": 4000, "heat_energy_wh": 9000}, [("Now", "4.00", "kW"), ("Register", "9.0", "kWh")]),
        ("electricity", {"energy_import_wh": "9007199254740.9931"}, [("Register", "9,007,199,254.7", "kWh")]),
    ],
)
def test_a_card_says_what_flows_now_then_what_was_counted(
    commodity: str, values: Mapping[str, Number | str], expected: list[tuple[str, str, str]]
) -> None:
    """The main value is the flow now, or the register where a meter tells no flow."""
    shown = lines_of(card(meter(commodity, values), NOW, ENGLISH))
    assert shown[: len(expected)] == expected
    assert len(shown) == len(expected)


@pytest.mark.parametrize("value", ["nonsense", "NaN", "Infinity", "1e999999", 10**15, "-1e16"])
def test_what_is_no_value_of_a_meter_is_not_shown(value: str | int) -> None:
    """A hostile document never becomes a number on the page."""
    assert card(meter(values={"power_w": value}), NOW, ENGLISH).main is None


@pytest.mark.parametrize(
    ("age", "every", "state"),
    [(29, 10.0, "fresh"), (31, 10.0, "late"), (29, 1.0, "fresh"), (31, 1.0, "late"), (901, 300.0, "late")],
)
def test_a_card_is_late_after_three_intervals(age: float, every: float, state: str) -> None:
    """Lateness is counted in the meter's own intervals, or those of live values where they are slower."""
    shown = card(meter(age=age, every=every), NOW, ENGLISH)
    assert shown.state == state
    assert shown.age.startswith("Late: last reading") == (state == "late")


@pytest.mark.parametrize(("age", "state"), [(3 * 3600 - 1, "fresh"), (3 * 3600 + 1, "late")])
def test_a_meter_of_registers_alone_may_be_slow(age: float, state: str) -> None:
    """A gas meter behind a P1 port speaks once an hour, however often its port does."""
    assert card(meter("gas", {"gas_volume_l": 5}, age=age, every=1.0), NOW, ENGLISH).state == state


def test_a_late_value_is_not_called_now() -> None:
    """An old value never claims to be of this moment."""
    shown = card(meter(age=3600), NOW, ENGLISH)
    assert shown.main is not None
    assert shown.main.label == "Last value"


def test_a_meter_without_a_reading_says_so() -> None:
    """Before the first reading there is no age and no value."""
    shown = card(LiveMeter("gw_m", "", "water", "model", 10.0), NOW, ENGLISH)
    assert (shown.name, shown.state, shown.age, shown.main) == ("gw_m", "silent", "No reading yet", None)


@pytest.mark.parametrize(
    ("q", "doubts"),
    [
        (0, []),
        (message.ROLLOVER, []),
        (message.SUSPECT, ["Doubtful value"]),
        (message.ESTIMATED | message.METER_FLAG, ["Estimated value", "The meter reports a fault"]),
        (message.HOLDOVER, ["Time not certain"]),
    ],
)
def test_a_card_names_its_doubts(q: int, doubts: list[str]) -> None:
    """Bits of quality that a reader should know of are said in words."""
    assert card(meter(q=q), NOW, ENGLISH).doubts == doubts


def test_sections_follow_one_order_and_hide_when_empty() -> None:
    """Commodities come in the same order whatever order meters have; an unknown one is set apart."""
    shown = sections([meter("gas"), meter("electricity"), meter("steam"), meter("electricity")], NOW, ENGLISH)
    assert [(s.commodity, len(s.cards)) for s in shown] == [("electricity", 2), ("gas", 1), ("other", 1)]


def test_a_card_says_what_use_costs() -> None:
    """Today, so far, and the likely end with its range, after what flows now; in both languages."""
    money = Outlook("SAR", Decimal("3.456"), Decimal("92.4"), Decimal("180.75"), Decimal(160), Decimal("201.5"))
    assert lines_of(card(meter(), NOW, ENGLISH, None, money))[1:] == [
        ("Cost today", "3.46", "SAR"), ("Bill to date", "92.40", "SAR"),
        ("Projected bill", "181", "SAR"),
        ("Likely between", "160 \N{EN DASH} 202", "SAR"),
    ]  # fmt: skip
    arabic = lines_of(card(meter(), NOW, Words("ar"), None, money._replace(today=None, likely=None)))
    assert arabic[1:] == [("الفاتورة حتى اليوم", "92.40", "ر.س")]
    (_, plain) = lines_of(card(meter(), NOW, ENGLISH, None, Outlook("<x", None, Decimal(1))))
    assert plain == ("Bill to date", "1.00", "&lt;x")
