"""What virtual meters must be to the rest: names of their own, parts that are meters, something that can be added."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway.config.build import meter_id
from gateway.config.locate import Key
from gateway.config.near import meant, shown
from gateway.virtual.additive import offered
from gateway.virtual.build import virtual_id

if TYPE_CHECKING:
    from gateway.config.models import MeterTable, Wired
    from gateway.config.virtual import VirtualTable

Finding = tuple[Key, str, str]
LONGEST_ID = 64


def find(config: "Wired") -> Iterator[Finding]:
    """Yield all that does not fit together."""
    meters = {row.name: row for row in config.meter}
    names = dict.fromkeys(meters, "a meter")
    ids = {meter_id(config, row): row.name for row in config.meter}
    for number, row in enumerate(config.virtual):
        key: Key = ("virtual", number)
        wire = virtual_id(config, row)
        if row.name in names:
            yield (*key, "name"), f"is {shown(row.name)}, as {names[row.name]} is", "rename one"
        elif wire in ids:
            yield (*key, "id" if row.id else "name"), f"makes the id {wire}, as meter {ids[wire]} does", "change one"
        if len(wire) > LONGEST_ID:
            yield (*key, "name"), f"makes the id {wire}, longer than {LONGEST_ID}", "shorten it or the gateway's id"
        names.setdefault(row.name, f"virtual meter number {number + 1}")
        ids.setdefault(wire, row.name)
        yield from _formula(row, meters, (*key, "formula"))


def _formula(row: "VirtualTable", meters: "dict[str, MeterTable]", key: Key) -> Iterator[Finding]:
    strangers = [name for name in row.formula.weights if name not in meters]
    for name in strangers:
        yield key, f"names {shown(name)}, and no meter is called so", _hint(name, meters)
    if not strangers:
        parts = [meters[name].profile.quantities for name in row.formula.weights]
        if not offered(parts, row.formula.weights.values()):
            hint = "energies, volumes, powers and flows can, where all meters have them"
            yield key, "has meters with nothing in common that can be added", hint


def _hint(name: str, meters: "dict[str, MeterTable]") -> str:
    if all(part in meters for part in name.split("-")):
        return f"put spaces around the minus: {name.replace('-', ' - ')}"
    return meant(name, meters, f"the meters are {', '.join(meters)}" if meters else "add a [[meter]]")
