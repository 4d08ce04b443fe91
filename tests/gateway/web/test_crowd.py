"""How many people the pages are for, and whether the machine is asked for as much."""

import re
from pathlib import Path

import pytest

from gateway.web.crowd import HOUSE, HUB, Crowd
from gateway.web.feed import A_HOME

UNITS = Path(__file__).parents[3] / "systemd"
OWN_FILES = 500
"""What a program keeps open beside its pages: databases, broker, control socket, a bus or two for each meter."""


def limit(unit: str, name: str) -> str:
    """Read a setting of a unit."""
    found = re.search(rf"^{name}=(\S+)$", (UNITS / unit).read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(("crowd", "unit"), [(HOUSE, "nabd-home.service"), (HUB, "nabd-hub.service")])
def test_units_have_files_for_every_place(crowd: Crowd, unit: str) -> None:
    """However many connect, the program still opens its own files."""
    assert int(limit(unit, "LimitNOFILE")) >= crowd.places + OWN_FILES


def test_a_hubs_unit_has_memory_for_a_crowd() -> None:
    """With TLS a place takes a quarter of a megabyte; as much again as a hub needs alone is left beside them."""
    assert limit("nabd-hub.service", "MemoryMax") == "1G"
    assert HUB.places_by_tls / 4 < 1024 / 2


@pytest.mark.parametrize("crowd", [HOUSE, HUB])
def test_one_customer_takes_a_part_of_all(crowd: Crowd) -> None:
    """Neither the listeners of one customer nor the connections of one address are half of all there may be."""
    assert crowd.listeners >= 2 * A_HOME
    assert 2 * crowd.each <= crowd.places_by_tls <= crowd.places
    assert crowd.listeners <= crowd.places_by_tls
