"""Advice on another tariff (X10)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_OPEN = Text(
    N_("A cheaper tariff: {meter}"),
    (
        N_("With the tariff {offer} the last three bills of {meter} would have been {saving_money} lower in all."),
        N_("Another tariff would have made each of the last three bills of {meter} lower."),
    ),
    (
        N_(
            "They would have been {then_1_money}, {then_2_money} and {then_3_money} instead of {now_1_money}, "
            "{now_2_money} and {now_3_money}."
        ),
    ),
    (N_("Read its conditions too before you change."),),
)

TEXTS: Texts = {
    "raised": _OPEN,
    "updated": _OPEN,
    "cleared": Text(
        N_("No cheaper tariff now: {meter}"),
        (N_("The other tariff would not be cheaper for {meter} any more."),),
        (),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Tariffs, not compared: {meter}"),
        (N_("{meter} has sent no readings since, so tariffs cannot be compared."),),
        (),
        (N_("The live page shows what was measured."),),
    ),
}
