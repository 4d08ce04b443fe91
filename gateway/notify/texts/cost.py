"""What an alert costs: one sentence, said after what happened and how much it was."""

from gateway.i18n import N_

COST = {
    "month": N_("At your present price that is about {cost} a month."),
    "more": N_("At your present price that is about {cost} more."),
    "so far": N_("At your present price that is about {cost}."),
}
PRICES = {"kWh": N_("{money} a kWh"), "m3": N_("{money} a m³")}
