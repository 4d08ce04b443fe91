"""Who we are to meters, what was heard of them, and the way to them."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from drivers import profiles
from drivers.contract import Keys, Meter, Refused
from drivers.dlms.hdlc_link import HdlcLink
from drivers.dlms.heard import STEP, Heard
from drivers.dlms.identity import OurCounters
from drivers.dlms.way import link_to
from drivers.dlms.wrapper import WrapperLink

KEYS = Keys(bytes(16), bytes(16))


def test_a_title_is_made_once_and_kept(tmp_path: Path) -> None:
    """Each gateway has its own; a profile's own title has counters of its own."""
    ours = OurCounters(tmp_path, Random(1).randbytes)
    first, again = ours.identity(KEYS, None), OurCounters(tmp_path, Random(2).randbytes).identity(KEYS, None)
    assert first.title == again.title
    assert first.title[:3] == b"NBD"
    assert first.count() < again.count()
    assert ours.identity(KEYS, b"CLIENT01").title == b"CLIENT01"
    (tmp_path / "system-title").write_text("4e42")
    with pytest.raises(Refused, match="no system title"):
        OurCounters(tmp_path, Random(1).randbytes).identity(KEYS, None)


def test_without_a_folder_nobody_is_anybody() -> None:
    """An open meter needs no counters; a ciphered one is refused."""
    ours = OurCounters(None, Random(1).randbytes)
    assert ours.identity(Keys(), None).count() == 0
    with pytest.raises(Refused, match="counters"):
        ours.identity(KEYS, None)


def test_counters_heard_are_written_now_and_then(tmp_path: Path) -> None:
    """Each `STEP` messages and at the end; a file that cannot be read is as good as none."""
    heard = Heard(tmp_path)
    heard.of("m").rise(b"METER001", 5)
    heard.keep("m")
    assert not list(tmp_path.iterdir())
    heard.of("m").rise(b"METER001", 5 + STEP)
    heard.keep("m")
    heard.of("m").rise(b"METER001", 6 + STEP)
    assert Heard(tmp_path).of("m").highest == {b"METER001": 5 + STEP}
    heard.keep_all()
    assert Heard(tmp_path).of("m").highest == {b"METER001": 6 + STEP}
    assert Heard(tmp_path).of("other").highest == {}
    next(tmp_path.iterdir()).write_text("[]")
    assert Heard(tmp_path).of("m").highest == {}
    (tmp_path / "file").write_text("")
    full = Heard(tmp_path / "file")
    full.of("m").rise(b"METER001", 1)
    full.keep_all()


@pytest.mark.parametrize(
    ("address", "over_tcp", "expected"),
    [
        (None, True, (16, 1)), (7, True, (16, 7)), ("2/3", True, (2, 3)),
        (None, False, ("21", "03")), (17, False, ("21", "0223")), ("1/1/300", False, ("03", "00020459")),
        ("1/16000", False, ("03", "fa000001")),
    ],
)  # fmt: skip
def test_an_address_leads_to_a_meter(
    address: int | str | None, over_tcp: bool, expected: tuple[object, object]
) -> None:
    """A number, client and server, or a device too; HDLC takes one, two or four bytes."""
    profile = profiles.load("dlms")
    link = link_to(Meter("m", profile, address), profile.layout.asking, over_tcp=over_tcp)
    if isinstance(link, WrapperLink):
        assert (link._client, link._server) == expected
    else:
        assert isinstance(link, HdlcLink)
        assert (bytes(link._client).hex(), bytes(link._server).hex()) == expected


def test_a_profile_may_insist_on_hdlc_over_tcp() -> None:
    """Serial servers carry HDLC."""
    profile = profiles.load("dlms")
    asking = replace(profile.layout.asking, link="hdlc")
    assert isinstance(link_to(Meter("m", profile), asking, over_tcp=True), HdlcLink)
