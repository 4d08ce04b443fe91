"""More power than was contracted (E6)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (
    N_("The mean is heading for {value}; your contract says {baseline}."),
    N_("The mean is heading for {value}."),
)
_ADVICE = (N_("Switch off a large appliance now: oven, water heater, air conditioner or car charger."),)

TEXTS: Texts = {
    "raised": Text(
        N_("Above your contract: {meter}"),
        (
            N_("If it goes on like this, {meter} will have exceeded its contracted power by {ends_ms}."),
            N_("{meter} is about to exceed its contracted power."),
        ),
        _NOW,
        _ADVICE,
    ),
    "updated": Text(
        N_("Further above contract: {meter}"),
        (
            N_("{meter} is heading further above its contracted power until {ends_ms}."),
            N_("{meter} is heading further above its contracted power."),
        ),
        _NOW,
        _ADVICE,
    ),
    "cleared": Text(
        N_("Within contract again: {meter}"),
        (
            N_("{meter} is within its contracted power again (since {cleared})."),
            N_("{meter} is within its contracted power again."),
        ),
        (N_("It was heading for {value}; your contract says {baseline}."), N_("It was heading for {value}.")),
        (N_("There is nothing left to do. It helps to run large appliances one after another."),),
    ),
    "expired": Text(
        N_("Contract, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether it exceeded its contracted power."),),
        (N_("It was heading for {value}; your contract says {baseline}."), N_("It was heading for {value}.")),
        (N_("The live page shows what was measured."),),
    ),
}
