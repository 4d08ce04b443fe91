"""What goes together: the same parts are the same message, other parts are another."""

from collections.abc import Callable

from gateway.alerts.event import AlertEvent, alert_id
from gateway.notify.bundle import bundles
from gateway.notify.planning import Waiting

Make = Callable[..., AlertEvent]


def part(event: AlertEvent, since: int = 1, repeat: int = 0) -> Waiting:
    """Make a message that waits."""
    number = event.raised
    return Waiting(number, f"{event.key}.phone", "home", "gw", "phone", repeat, False, event, since, 0, "Home")


def warning(make: Make, n: int, **changes: object) -> AlertEvent:
    """Make the warning number `n`."""
    return make(id=alert_id("overload", "m", n), raised=n, **{"severity": "warning", **changes})


def test_the_key_says_which_parts(event: Make) -> None:
    """In whatever order they are read; one part fewer or another one is another message."""
    one, two, three = (part(warning(event, n)) for n in (1, 2, 3))
    (both,) = bundles([one, two], machine=False)
    assert both.key == bundles([two, one], machine=False)[0].key
    assert len({both.key, bundles([one, three], machine=False)[0].key, bundles([one], machine=False)[0].key}) == 3
    assert bundles([one], machine=False)[0].key == one.key


def test_only_what_is_due_at_one_moment_goes_together(event: Make) -> None:
    """Not what is critical, no reminder, and nothing for a machine; the gravest stands first."""
    info, grave = part(warning(event, 1, severity="info")), part(warning(event, 2))
    urgent, again = part(warning(event, 3, severity="critical")), part(warning(event, 4), repeat=1)
    later = part(warning(event, 5), since=2)
    found = bundles([info, grave, urgent, again, later], machine=False)
    assert [[one.id for one in bundle.parts] for bundle in found] == [[2, 1], [3], [4], [5]]
    assert found[0].first is grave
    assert len(bundles([info, grave], machine=True)) == 2
