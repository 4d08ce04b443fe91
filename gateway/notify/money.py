"""Money as people say it: "SAR 45", "1.10 ر.س"; a currency this table does not know keeps its code."""

import re
from decimal import ROUND_HALF_UP, Decimal

from gateway.i18n import N_
from gateway.notify.units import Amount

NAMES = {
    "SAR": N_("SAR {n}"), "AED": N_("AED {n}"), "KWD": N_("KWD {n}"), "BHD": N_("BHD {n}"), "QAR": N_("QAR {n}"),
    "OMR": N_("OMR {n}"), "JOD": N_("JOD {n}"), "EGP": N_("EGP {n}"), "EUR": N_("EUR {n}"), "USD": N_("USD {n}"),
}  # fmt: skip
WHOLE_FROM = 1000
"""From here on nobody counts hundredths."""


def is_currency(unit: str) -> bool:
    """Whether an event's unit is a currency's code."""
    return re.fullmatch("[A-Z]{3}", unit) is not None


def money_of(value: Decimal | float, currency: str) -> Amount:
    """Say a sum, rounded half up, as `units.amount_of` says what is measured."""
    exact = Decimal(str(value))
    decimals = Decimal(1) if abs(exact) >= WHOLE_FROM else Decimal("0.01")
    shown = f"{exact.quantize(decimals, ROUND_HALF_UP) + 0:,}".replace("-", "\N{MINUS SIGN}").removesuffix(".00")
    if currency in NAMES:
        return Amount(shown, 0, NAMES[currency], "")
    return Amount(f"{currency} {shown}", 0, "{n}", "")
