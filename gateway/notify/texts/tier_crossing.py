"""A dearer tier of the tariff (E3)."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_OPEN = Text(
    N_("A dearer price tier: {meter}"),
    (
        N_(
            "{meter} has used {value} of the {baseline} in its present price tier, which will end around {expected_ms}."
        ),
        N_("{meter} has used {value}: the price tier up to {baseline} is used up, and a dearer one has begun."),
        N_("A dearer price tier is near for {meter}."),
    ),
    (
        N_(
            "It will not end before {early_ms}; from its end on the price is {next_price} instead of {price}, taxes "
            "included."
        ),
        N_("The price is now {next_price} instead of {price}, taxes included."),
    ),
    (N_("What can wait for the next billing period costs less then."),),
)

TEXTS: Texts = {
    "raised": _OPEN,
    "updated": _OPEN,
    "cleared": Text(
        N_("First price tier again: {meter}"),
        (
            N_("A new billing period has begun for {meter} (since {cleared}), with the first price tier."),
            N_("A new billing period has begun for {meter}, with the first price tier."),
        ),
        (),
        (N_("There is nothing left to do."),),
    ),
    "expired": Text(
        N_("Price tier, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell which price tier it is in."),),
        (N_("The last value was {value}."),),
        (N_("The live page shows what was measured."),),
    ),
}
