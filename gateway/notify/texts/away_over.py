"""Being away that ended by itself: not an alert, but nobody should find it out from one."""

from gateway.i18n import N_
from gateway.notify.texts.text import Text, Texts

TEXTS: Texts = {
    "cleared": Text(
        N_("You are no longer marked as away"),
        (N_("The day you named for your return has come: alerts are again those of a home with somebody in it."),),
        (),
        (N_("If you are still away, name another day on the settings page."),),
    ),
}
