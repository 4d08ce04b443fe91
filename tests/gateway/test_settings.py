"""What a hub wishes of a gateway: judged, kept, and laid over the gateway's own file."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.contract import Reading
from gateway.alerts.settings import Settings
from gateway.check import Limits
from gateway.config import EdgeConfig
from gateway.message import Topics
from gateway.settings import LIMIT, Desired, Known
from gateway.station import station
from gateway.transport import Message
from tests.support.small_edge import small_station


def document(rev: object, **more: Any) -> bytes:
    """Make a document as a hub sends it."""
    return json.dumps({"v": 1, "rev": rev, **more}).encode()


def configured(folder: Path, more: str = "") -> EdgeConfig:
    """Load a configuration of one meter."""
    return small_station(folder, "m", more=more)


def test_a_newer_document_is_taken_whole(tmp_path: Path) -> None:
    """What the next one does not say any more is not so any more."""
    desired = Desired.open(tmp_path)
    assert desired.take(document(7, live_every_s=10, meters={"gw_m": {"away": True, "rating_a": 63, "pv": True}}))
    assert desired.now.live_every_s == 10
    assert desired.now.meters["gw_m"].rating_a == 63
    assert desired.now.meters["gw_m"].away
    assert desired.take(document(8))
    assert desired.now == Settings(rev=8)
    assert desired.status() == {"rev": 8, "refused": {}, "error": ""}


def test_an_older_one_is_left_out_and_the_same_one_is_no_news(tmp_path: Path) -> None:
    """A retained document comes with every connection; an older one is counted, for somebody sent it."""
    desired = Desired.open(tmp_path)
    assert desired.take(document(7, live_every_s=10))
    assert not desired.take(document(7, live_every_s=20))
    assert not desired.take(document(6, live_every_s=30))
    assert desired.now.live_every_s == 10
    assert desired.status() == {"rev": 7, "refused": {"older": 1}, "error": ""}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b"[]", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b"[" * 100_000, "malformed"),
        (document(8, v=2), "malformed"),
        (document(-1), "malformed"),
        (document(2**60), "malformed"),
        (document("9"), "malformed"),
        (b'{"v":1,"live_every_s":1}', "malformed"),
        (b'{"v":1,"rev":8,"live_every_s":NaN}', "malformed"),
        (document(8, live_every_s=-1), "malformed"),
        (document(8, meters={"a b": {}}), "malformed"),
        (document(8, meters={"m": {"rating_a": 0}}), "malformed"),
        (document(8, meters={"m": {"limits": {"energy_import_wh": -1}}}), "malformed"),
        (document(8, meters={f"m{n}": {} for n in range(2001)}), "malformed"),
        (document(8, more="x" * LIMIT), "too_large"),
    ],
)
def test_what_is_no_document_is_refused_and_changes_nothing(tmp_path: Path, payload: bytes, reason: str) -> None:
    """It is counted and said, in few words whatever it holds; the next good one ends the complaint."""
    desired = Desired.open(tmp_path)
    desired.take(document(7, live_every_s=10))
    assert not desired.take(payload)
    assert desired.now.live_every_s == 10
    assert desired.refused == {reason: 1}
    assert 0 < len(desired.error) < 300
    assert desired.error.isprintable()
    assert desired.take(document(9))
    assert desired.error == ""


@given(st.binary(max_size=300) | st.dictionaries(st.text(), st.text() | st.integers()).map(lambda d: document(**d)
       if "rev" in d else document(1, **{k: v for k, v in d.items() if k not in ("v", "rev")})))  # fmt: skip
def test_no_document_ends_the_edge(payload: bytes) -> None:
    """Whatever the bytes are, they are taken or refused."""
    desired = Desired(Path("/nonexistent/settings.json"))
    desired.take(payload)
    assert desired.now.rev in (0, 1)


async def test_settings_outlive_a_restart(tmp_path: Path) -> None:
    """What was kept is in force before any broker is there; so is what only newer versions understand."""
    desired = Desired.open(tmp_path)
    payload = document(7, live_every_s=10, meters={"gw_m": {"budget_m": 4}})
    assert desired.take(payload)
    await desired.keep(payload)
    again = Desired.open(tmp_path)
    assert again.now == desired.now
    assert json.loads((tmp_path / "settings.json").read_bytes())["meters"] == {"gw_m": {"budget_m": 4}}
    assert [file.name for file in tmp_path.iterdir()] == ["settings.json"]
    assert (tmp_path / "settings.json").stat().st_mode & 0o777 == 0o600, "who is away is nobody's business"


@pytest.mark.parametrize("damage", [b"", b'{"v":1,"rev":7', b"\0" * 4096, b"x" * (LIMIT + 10)])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damage: bytes) -> None:
    """The edge starts, says so, and takes the document that the broker still holds."""
    (tmp_path / "settings.json").write_bytes(damage)
    desired = Desired.open(tmp_path)
    assert desired.now == Settings()
    assert desired.error
    assert desired.take(document(7))


async def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    """The settings are in force all the same, and no temporary file is taken for them."""
    desired = Desired(tmp_path / "gone" / "settings.json")
    assert desired.take(document(7))
    await desired.keep(document(7))
    assert desired.now.rev == 7
    assert desired.refused == {"not_kept": 1}
    assert "cannot be kept" in desired.error


def test_a_hub_knows_the_limits_of_all_meters() -> None:
    """Each gateway's newest document counts, for its tenant's meters only; rubbish costs nothing."""
    known = Known()
    for tenant, amperes in (("t", 25), ("u", 63)):
        payload = document(1, meters={"m": {"rating_a": amperes, "limits": {"energy_import_wh": 7}}, "n": {}})
        known.hear(Message(Topics(tenant, "gw").of("settings"), payload))
    known.hear(Message(Topics("t", "gw").of("settings"), b"{"))
    assert known.limits("t", "m") == Limits(25, {"energy_import_wh": 7})
    assert known.limits("u", "m").rating_a == 63
    known.hear(Message(Topics("t", "gw").of("settings"), document(2, meters={"n": {"rating_a": 10}})))
    assert known.limits("t", "m") == Limits()
    assert known.limits("t", "n").rating_a == 10
    assert known.limits("u", "m").rating_a == 63


def amps(second: int) -> Reading:
    """Make a reading of 40 A."""
    return Reading("gw_m", 1_000_000 + second * 1000, {"current_a": 40.0, "power_w": 9_200.0})


async def test_the_fuse_the_hub_knows_is_watched(tmp_path: Path) -> None:
    """No fuse in the file, then one of 25 A from the hub: 40 A is an overload now, and with 63 A no longer."""
    async with station(configured(tmp_path), None) as here:
        for second in range(0, 90, 10):
            here.intake.take(amps(second))
        assert here.alerts["raised"] == 0
        here.settle(Settings.model_validate_json(document(1, meters={"gw_m": {"rating_a": 25}})))
        for second in range(100, 190, 10):
            here.intake.take(amps(second))
        assert here.alerts["raised"] == 1
        here.settle(Settings.model_validate_json(document(2, meters={"gw_m": {"rating_a": 63}})))
        for second in range(200, 290, 10):
            here.intake.take(amps(second))
        assert here.alerts["cleared"] == 1


async def test_the_limits_the_hub_knows_are_checked(tmp_path: Path) -> None:
    """A register that runs faster than its limit is suspect from the next reading on."""
    async with station(configured(tmp_path), None) as here:
        rising = [Reading("gw_m", 1_000_000 + n * 600_000, {"energy_import_wh": 1001.3 * n + 0.1}) for n in range(5)]
        here.intake.take(rising[0])
        here.intake.take(rising[1])
        assert here.alerting.checker.remarks.total() == 0
        limits = {"energy_import_wh": 100}
        here.settle(Settings.model_validate_json(document(1, meters={"gw_m": {"limits": limits}})))
        for reading in rising[2:]:
            here.intake.take(reading)
        assert here.alerting.checker.remarks.total() > 0


@pytest.mark.parametrize("settings_first", [True, False])
async def test_a_reload_and_settings_do_not_undo_each_other(tmp_path: Path, *, settings_first: bool) -> None:
    """In either order the hub's word holds where it says something, and the file's for the rest."""
    wished = Settings.model_validate_json(document(1, meters={"gw_m": {"rating_a": 63}}))
    file = configured(tmp_path)
    async with station(file, None) as here:
        changed = configured(tmp_path, 'rating_a = 25\n[[meter]]\nname = "n"\nbus = "line"\n'
                             'profile = "eastron-sdm120"\naddress = 2\nrating_a = 25\n')  # fmt: skip
        if settings_first:
            here.settle(wished)
            await here.change(changed)
        else:
            await here.change(changed)
            here.settle(wished)
        assert here.intake.meters["gw_m"].limits.rating_a == 63
        assert here.intake.meters["gw_n"].limits.rating_a == 25
        assert list(here.intake.meters) == ["gw_m", "gw_n"]
