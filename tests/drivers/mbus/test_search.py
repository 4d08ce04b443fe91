"""The search for secondary addresses, against a bus that garbles simultaneous answers."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.mbus.search import Outcome, Probe, Search
from drivers.mbus.telegram import Identity


def bus(meters: list[Identity], probe: Probe) -> Outcome:
    """Say what is heard when all meters that fit answer at once."""
    answering = [meter for meter in meters if probe.fits(meter)]
    return "collision" if len(answering) > 1 else answering[0] if answering else "silence"


def find(meters: list[Identity]) -> Search:
    """Search a bus to its end."""
    search = Search()
    while (probe := search.next()) is not None:
        search.heard(bus(meters, probe))
    return search


def test_sixty_meters_with_shared_prefixes_are_all_found() -> None:
    """Sixty of sixty, whose numbers differ in their last digits only."""
    dice = random.Random(7)
    numbers = dice.sample(range(1000), 60)
    meters = [Identity(f"21050{number:03}", "KAM", 1, 4) for number in numbers]
    search = find(meters)
    assert sorted(meter.number for meter in search.found) == sorted(meter.number for meter in meters)
    assert not search.unresolved


@given(
    st.lists(
        st.builds(
            Identity, st.integers(0, 10**8 - 1).map("{:08}".format), st.sampled_from(["KAM", "ACW"]),
            st.integers(0, 3), st.sampled_from([2, 4, 7]),
        ),
        max_size=12, unique_by=lambda meter: (meter.number, meter.version, meter.medium),
    )
)  # fmt: skip
def test_every_meter_that_can_be_told_apart_is_found(meters: list[Identity]) -> None:
    """Equal digits are told apart by medium and version."""
    assert set(find(meters).found) == set(meters)


def test_what_cannot_be_told_apart_is_said() -> None:
    """Two meters with one and the same address stay a collision with a name."""
    search = find([Identity("12345678", "KAM", 1, 4)] * 2)
    assert not search.found
    (probe,) = search.unresolved
    assert (probe.digits, probe.medium, probe.version) == ("12345678", 4, 1)


@pytest.mark.parametrize(
    ("probe", "raw"), [(Probe(), "ffffffff ffff ff ff"), (Probe("12345678", 0x4CAE, 1, 4), "78563412 ae4c 01 04")]
)
def test_a_probe_is_eight_bytes(probe: Probe, raw: str) -> None:
    """Digits last pair first, then maker, version and medium."""
    assert bytes(probe) == bytes.fromhex(raw)
