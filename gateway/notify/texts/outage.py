"""A power cut (E11): told by the meter's last gasp while it lasts, or found afterwards."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_ADVICE = (
    N_("Look at your main switch first: if it is on, the cut comes from the grid."),
    N_("Leave air conditioners off until the power is steady again."),
)

TEXTS: Texts = {
    "raised critical": Text(
        N_("Power cut: {meter}"),
        (N_("The power at {meter} has failed (at {since})."), N_("The power at {meter} has failed.")),
        (N_("The meter reported it before it went out; it has been silent for {lasted}."),),
        _ADVICE,
    ),
    "raised": Text(
        N_("There was a power cut: {meter}"),
        (
            N_("{meter} was without power for {lasted_s} (from {since} on)."),
            N_("{meter} was without power for a while."),
        ),
        (N_("In that time it did not even count the {base_w} that always run there."),),
        (N_("Check what is in the refrigerator, and set your clocks and timers."),),
    ),
    "updated": Text(
        N_("Still a power cut: {meter}"),
        (N_("There is still no power at {meter}."),),
        (N_("It has been gone for {lasted}."),),
        _ADVICE,
    ),
    "cleared": Text(
        N_("The power is back: {meter}"),
        (N_("The power at {meter} is back (since {cleared})."), N_("The power at {meter} is back.")),
        (N_("It was gone for {lasted_s}."), N_("It was gone for {lasted}.")),
        (N_("Check what is in the refrigerator, and set your clocks and timers."),),
    ),
    "expired": Text(
        N_("Power cut, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether its power is back."),),
        (N_("The power had failed at {raised}."),),
        (N_("If the lights are on there, see whether the gateway has power too."),),
    ),
}
