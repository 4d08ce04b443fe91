"""Messages about money, in both languages: the sums of events, what alerts cost, prices and offers."""

from decimal import Decimal
from pathlib import Path

import pytest

from gateway.alerts.event import AlertEvent, Severity, State, alert_id
from gateway.i18n import LANGUAGES, words
from gateway.notify.costs import Priced, Span
from gateway.notify.money import NAMES, is_currency, money_of
from gateway.notify.render import Occasion, render
from gateway.notify.sms import PARTS, parts
from gateway.notify.speech import ISOLATE, POP
from gateway.notify.texts.cost import COST, PRICES
from gateway.tariff.model import Words as Title
from tests.gateway.notify.moments import MS, NOW

DAY_MS = 86_400_000
BILL = {"low_money": 160.0, "high_money": 201.5, "spent_money": 92.4, "left_s": 15 * 86_400.0}


def event(
    rule: str, value: float, baseline: float, unit: str, evidence: dict[str, float], state: State, severity: Severity
) -> AlertEvent:
    """Make an event."""
    return AlertEvent(
        id=alert_id(rule, "m", 1), seq=1, rule=rule, meter="gw_main", state=state, severity=severity, raised=MS, at=MS,
        cleared=MS if state == "cleared" else None, value=value, baseline=baseline, unit=unit,
        quantity="energy_import_wh", evidence=evidence,
    )  # fmt: skip


PROJECTION = ("bill_projection", 180.75, 120.0, "SAR")
NEAR = {"tier": 1.0, "expected_ms": MS + 2.0 * DAY_MS, "early_ms": MS + 1.0 * DAY_MS}
PEAK = {"above_wh": 1_900.0, "peak_ms": MS - 90.0 * 60_000}
ADVICE = {
    "now_1_money": 31.0, "now_2_money": 28.0, "now_3_money": 31.0, "then_1_money": 27.9, "then_2_money": 25.2,
    "then_3_money": 27.9, "saving_money": 9.0, "offer_x": 1.0,
}  # fmt: skip
NIGHT = Title("Night saver for homes", "توفير الليل للمنازل")
TIER = Priced("SAR", price=Decimal("0.1725"), next_price=Decimal("1.725"), unit="m3")
TOLD: list[tuple[AlertEvent, Priced | None]] = [
    (event(*PROJECTION, BILL | {"usual_money": 120.0}, "raised", "warning"), None),
    (event(*PROJECTION, BILL | {"limit_money": 150.0}, "raised", "warning"), None),
    (event(*PROJECTION, BILL | {"limit_money": 150.0}, "updated", "warning"), None),
    (event(*PROJECTION, {}, "cleared", "warning"), None),
    (event("budget", 124.0, 150.0, "SAR", {"left_s": 11 * 86_400.0}, "raised", "info"), None),
    (event("budget", 150.2, 150.0, "SAR", {"left_s": 3 * 86_400.0}, "raised", "warning"), None),
    (event("budget", 150.2, 150.0, "SAR", {}, "cleared", "warning"), None),
    (event("tier_crossing", 14_300.0, 15_000.0, "l", NEAR, "raised", "warning"), TIER),
    (event("tier_crossing", 15_010.0, 15_000.0, "l", {"tier": 1.0}, "updated", "warning"), TIER),
    (event("tier_crossing", 15_010.0, 15_000.0, "l", {}, "cleared", "warning"), None),
    (event("peak_price_use", 3_000, 1_100, "Wh", PEAK, "raised", "info"), Priced("EUR", Decimal("0.949"))),
    (event("tariff_advice", 81.0, 90.0, "SAR", ADVICE, "raised", "info"), Priced("SAR", offer=NIGHT)),
    (event("tariff_advice", 81.0, 90.0, "SAR", {}, "cleared", "info"), None),
    (event("pv_fault", 120, 14_000, "Wh", {"days": 3.0}, "raised", "warning"), None),
    (event("pv_fault", 120, 14_000, "Wh", {}, "cleared", "warning"), None),
]


def said(told: AlertEvent, priced: Priced | None, language: str) -> str:
    """Render a message, without its isolates."""
    message = render(Occasion(told, "Home", language, NOW, priced=priced))
    return f"{message.title}\n{message.text}".replace(ISOLATE, "").replace(POP, "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_messages_read_as_they_did_when_somebody_read_them_aloud(language: str) -> None:
    """What happened, how much against what, what it costs, what to do: a change shows what readers will see."""
    text = "\n\n".join(said(told, priced, language) for told, priced in TOLD) + "\n"
    file = Path(__file__).parent / f"money.{language}.txt"
    if not file.exists():
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), f"read them again, then delete {file.name} and run this twice"


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_messages_hold_what_happened(language: str) -> None:
    """Two parts, with the longest name and large sums."""
    for told, priced in TOLD:
        message = render(Occasion(told, "ن" * 300 if language == "ar" else "W" * 300, language, NOW, priced=priced))
        assert parts(message.sms) <= PARTS
        assert message.sms
        assert not message.sms.endswith("…"), message.sms
        assert len(message.title) <= 60


@pytest.mark.parametrize("span", COST)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_usage_alert_says_its_cost_before_what_to_do(span: Span, language: str) -> None:
    """Rounded to whole units from ten on, and said with "about"."""
    told = event("high_usage", 9_400, 4_100, "Wh", {"above_wh": 5_300.0, "hours": 3.0}, "raised", "info")
    with_cost = said(told, Priced("SAR", Decimal("44.83"), span), language)
    without = said(told, None, language)
    assert "45" in with_cost
    assert "44" not in with_cost
    assert "45" not in without
    assert with_cost.count(".") == without.count(".") + 1 + (language == "ar")


def test_every_word_about_money_is_translated() -> None:
    """A text without an Arabic translation would come out in English."""
    arabic = words("ar")
    for text in (*NAMES.values(), *COST.values(), *PRICES.values()):
        assert arabic.gettext(text) != text, text


@pytest.mark.parametrize(
    ("value", "currency", "shown"),
    [
        ("45", "SAR", "45"), ("1.1", "SAR", "1.10"), ("1.005", "SAR", "1.01"), ("0", "SAR", "0"),
        ("1234.5", "SAR", "1,235"), ("-2.5", "SAR", "\N{MINUS SIGN}2.50"), ("3.2", "XYZ", "XYZ 3.20"),
    ],
)  # fmt: skip
def test_sums_read_as_people_say_them(value: str, currency: str, shown: str) -> None:
    """To the hundredth below a thousand, half up, with a true minus."""
    assert money_of(Decimal(value), currency).shown == shown


def test_units_are_no_currencies() -> None:
    """A currency is three capitals, as no unit is."""
    assert is_currency("SAR")
    assert not any(is_currency(unit) for unit in ("A", "V", "W", "Wh", "l/h", "VAR1", "sar", ""))
