"""Overload (E13): the main fuse carries more than it should."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

_NOW = (
    N_("It has been {value} of {baseline} for {lasted}, which is {percent}."),
    N_("It is {value} of {baseline}, which is {percent}."),
)
_ADVICE = (
    N_("Switch off a large appliance now: oven, water heater, air conditioner or car charger."),
    N_("If the fuse has tripped, switch something off before you reset it."),
)

TEXTS: Texts = {
    "raised critical": Text(
        N_("Overload: {meter}"),
        (N_("The current at {meter} is higher than its main fuse is made for."),),
        _NOW,
        _ADVICE,
    ),
    "raised": Text(
        N_("Close to the limit: {meter}"),
        (N_("The current at {meter} has been close to the limit of its main fuse for minutes."),),
        _NOW,
        (N_("Run large appliances one after another: oven, water heater, air conditioner, car charger."),),
    ),
    "updated critical": Text(
        N_("Overload is getting worse: {meter}"),
        (N_("The current at {meter} has risen further above what its main fuse is made for."),),
        _NOW,
        _ADVICE,
    ),
    "updated": Text(
        N_("Closer to the limit: {meter}"),
        (N_("The current at {meter} has come closer to the limit of its main fuse."),),
        _NOW,
        (N_("Run large appliances one after another: oven, water heater, air conditioner, car charger."),),
    ),
    "cleared": Text(
        N_("Overload is over: {meter}"),
        (
            N_("The current at {meter} is below its limit again (since {cleared})."),
            N_("The current at {meter} is below its limit again."),
        ),
        (
            N_("It lasted {lasted}; the highest was {peak_a} of {baseline}."),
            N_("The highest was {peak_a} of {baseline}."),
        ),
        (N_("There is nothing left to do. It helps to run large appliances one after another."),),
    ),
    "expired": Text(
        N_("Overload, end unknown: {meter}"),
        (N_("{meter} has sent no readings since, so we cannot tell whether the overload is over."),),
        (N_("The last value was {value} of {baseline}."),),
        (N_("Look at the fuse, and at the meter's display."),),
    ),
}
