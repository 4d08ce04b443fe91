"""What digests say: of each meter, of the alerts, tips and achievements."""

from gateway.i18n import N_
from gateway.notify.units import plural

WEEK, DAY = N_("Your week"), N_("Your day")
LESS = N_("{meter}: {amount}, {percent} less than usual.")
MORE = N_("{meter}: {amount}, {percent} more than usual.")
SAME = N_("{meter}: {amount}, as usual.")
ALONE = N_("{meter}: {amount}.")
COST = N_("That cost about {cost}.")
LIKELY = N_("The bill of this period will probably be about {likely}, between {low} and {high}.")
NOTHING_KNOWN = N_("There are no readings of this time.")
NO_ALERT = N_("There was no alert.")
ALERTS = plural("There was {n} alert:", "There were {n} alerts:")
SAVED = N_("A thrifty week at {meter}: {percent} less than usual. Well done!")
MET = N_("Goal met at {meter}: {amount}, where {goal} was your goal. Well done!")
CALM = plural("{n} day without a leak. Well done!", "{n} days without a leak. Well done!")
FIGURE_UNITS = {"night_l": "l", "base_w": "W", "evening_percent": "%"}
TIPS = {
    "night_water": N_(
        "Tip: {figure} of water run here each night, while everybody sleeps. A toilet that drips does that unheard: "
        "put a drop of food colouring into its tank and see whether it reaches the bowl."
    ),
    "base_load": N_(
        "Tip: your home draws {figure} even when nobody uses anything. Look for what is always on: a second "
        "refrigerator, a water heater, chargers, a pump."
    ),
    "evening": N_(
        "Tip: {figure} of your electricity goes between 18:00 and 22:00. Washing and ironing in the morning takes the "
        "load off the wires at home."
    ),
}
