"""What every message about gas says besides: what to do when it smells, and what Nabd is not."""

from gateway.i18n import N_

SMELL = (
    N_("If you smell gas: light nothing, open the windows, leave, and call {emergency}."),
    N_("If you smell gas: light nothing, open the windows, leave, and call the emergency number."),
)
NO_DETECTOR = N_("Nabd is not a safety device: it does not replace a gas detector.")
