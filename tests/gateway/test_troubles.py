"""What a gateway waits for is said on its page, in both languages."""

from pathlib import Path

import pytest

from gateway.live import LiveBook
from gateway.troubles import has_network, troubles
from gateway.web.rights import Visitor
from gateway.web.screen import Pages, Screen, Sources


@pytest.mark.parametrize(("language", "word"), [("en", "cannot be reached"), ("ar", "لا يمكن")])
def test_a_page_explains_four_of_four(language: str, word: str) -> None:
    """No network, no bus, no time, no broker: each has its sentence, and a reason from outside stays text."""
    found = troubles(network=False, clock="unsynced", buses={"a": "", "b": "<b>gone</b>"}, broker=False)
    assert len(found) == 4
    page = Screen(
        Pages(), Sources(LiveBook(), lambda: 0, troubles=lambda: found), language, Visitor("customer", "home")
    ).page()
    assert page.count('class="summary behind"') == 4
    assert word in page
    assert "<b>gone" not in page
    assert "&lt;b&gt;gone" in page


def test_what_is_well_is_not_mentioned() -> None:
    """Healthy running says nothing."""
    assert troubles(network=True, clock="synced", buses={"a": ""}, broker=True) == []


def test_a_box_with_loopback_alone_has_no_network(tmp_path: Path) -> None:
    """The kernel's tables tell, whichever address family; tables that are not there say nothing."""
    four, six = tmp_path / "route", tmp_path / "ipv6_route"
    assert has_network((four, six))
    four.write_text("Iface\tDestination\tGateway\n")
    six.write_text(f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200       lo\n")
    assert not has_network((four, six))
    four.write_text("Iface\tDestination\tGateway\neth0\t00000000\t0101A8C0\n")
    assert has_network((four, six))
