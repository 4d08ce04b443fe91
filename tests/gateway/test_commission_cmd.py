"""The whole command on real sockets: what agrees with the display, what is caught, what is written and signed."""

import struct
from pathlib import Path
from typing import Any

import pytest

from gateway.commission_cmd import Options, commission
from gateway.config.load import load
from tests.support.commission_site import NOON, Probe, Site, answers


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Give a place for one meter."""
    return Site(tmp_path)


async def test_a_meter_that_agrees_passes(site: Site) -> None:
    """Display, direction and names end in a signed record; the configuration is not touched."""
    async with site.open():
        before = site.file.read_text()
        code, record = await site.run(
            'installer = "هدى"\n' + answers(display='"1234,5"', flow='"import"', label='"شقة"')
        )
        assert site.file.read_text() == before
    (meter,) = record["meters"]
    assert code == 0
    assert record["passed"] is True
    assert (record["installer"], record["began"]) == ("هدى", NOON)
    assert (meter["label"], meter["name"], meter["quantities"][1]) == ("شقة", "m", "energy_import")
    assert (meter["display"]["verdict"], meter["display"]["typed"], meter["display"]["after"]) == (
        "passed", "1234.5", "1234.567",
    )  # fmt: skip
    assert (meter["direction"]["verdict"], meter["direction"]["power"]) == ("passed", "800")


@pytest.mark.parametrize("right", ["ABCD", "CDAB", "BADC", "DCBA"])
async def test_a_wrong_order_of_words_is_refused_and_mended(site: Site, right: str) -> None:
    """M4: values that no meter says are never taken; the display tells which order is right, and it is written."""
    wrong = {"ABCD": "CDAB", "CDAB": "ABCD", "BADC": "ABCD", "DCBA": "CDAB"}[right]
    site.probe.says = _in_order(site.probe, right)  # type: ignore[method-assign]
    async with site.open(order=wrong):
        code, record = await site.run(answers(display='"1234,5"', flow='"import"', change="true"))
        row = load(site.file, "home").meter[0]
    (meter,) = record["meters"]
    assert code == 0, site.said
    assert row.profile.layout.order == right
    assert meter["display"]["causes"][0] == ["order", right]
    assert meter["display"]["changes"] == [f"order = {right}"]
    assert "looks like" in site.said or "look like" in site.said


async def test_integers_in_a_wrong_order_are_caught_by_the_display(site: Site) -> None:
    """M4: a meter of counters alone may make sense in a wrong order; its display alone can tell."""
    site.probe.imported, site.probe.exported, site.probe.power = 0x0003_0005, 0, 0
    async with site.open(order="CDAB", rows=""):
        code, record = await site.run(answers(display='"196.6"', change="false"))
    check = record["meters"][0]["display"]
    assert code == 1
    assert (check["verdict"], check["changes"]) == ("failed", [])
    assert check["causes"][0] == ["order", "ABCD"]


async def test_a_missing_transformer_is_written(site: Site) -> None:
    """The label's ratio explains the display; it is written with all else left as it was, and then agrees."""
    async with site.open():
        before = site.file.read_text()
        given = answers(display='"61728.3"', transformer='"250/5"', flow='"import"', change="true")
        code, record = await site.run(given)
        assert site.file.read_text() == before.replace("as on its label\n", "as on its label\nratio = 50.0\n")
    meter = record["meters"][0]
    assert code == 0, site.said
    assert (meter["transformer"], meter["ratio"]) == ("250/5", "50")
    assert meter["display"]["causes"] == [["transformer", "50"]]


async def test_a_wrong_factor_without_a_yes_fails(site: Site) -> None:
    """The cause is named, nothing is written, and the exit code says so."""
    async with site.open(more="ratio = 10.0"):
        before = site.file.read_text()
        code, record = await site.run(answers(display='"1234.5"', flow='"import"'))
        assert site.file.read_text() == before
    assert code == 1
    assert record["passed"] is False
    assert record["meters"][0]["display"]["causes"] == [["counted_twice", "0.1"]]


async def test_a_display_on_the_secondary_side_is_multiplied(site: Site) -> None:
    """A meter that knows nothing of its transformers shows a fiftieth, and so it is compared."""
    async with site.open(more="ratio = 50.0"):
        given = answers(display='"1234.5"', transformer='"250/5"', side='"secondary"', flow='"import"')
        code, record = await site.run(given)
    assert code == 0, site.said
    assert record["meters"][0]["display"]["times"] == "50"


async def test_swapped_wires_are_caught(site: Site) -> None:
    """The display of what is drawn shows the other register, and power has the other sign."""
    site.probe.imported, site.probe.exported, site.probe.power = 22_000, 1_234_567, -800
    async with site.open():
        code, record = await site.run(answers(display='"1234.5"', flow='"import"', change="true"))
    meter = record["meters"][0]
    assert code == 1
    assert meter["display"]["causes"] == [["swapped", "energy_export"]]
    assert meter["direction"]["verdict"] == "failed"
    assert "which means feeding in" in site.said


async def test_a_meter_is_renamed_after_a_yes(site: Site) -> None:
    """The label becomes its name in the configuration, and all that follows is about it."""
    async with site.open():
        given = answers(label='"flat"', rename="true", display='"123456.7"', change="true")
        code, record = await site.run(given)
        row = load(site.file, "home").meter[0]
    assert code == 0, site.said
    assert (row.name, row.ratio) == ("flat", 100)
    assert record["meters"][0]["name"] == "flat"


async def test_a_reversed_phase_is_asked_about(site: Site) -> None:
    """One phase against the others is a fault, unless panels feed in on it."""
    rows = '{ at = 0, quantity = "power_l2", unit = "W", type = "s32" },'
    site.probe.first = struct.pack(">i", -300)
    async with site.open(rows=rows):
        code, record = await site.run(answers(display='"1234.5"', flow='"import"'))
        assert (code, record["meters"][0]["direction"]["against"]) == (1, ["L2"])
        (site.folder / "out").rename(site.folder / "before")
        code, record = await site.run(answers(display='"1234.5"', flow='"import"', mixed="true"))
        assert (code, record["meters"][0]["direction"]["verdict"]) == (0, "passed")


async def test_a_meter_that_cannot_be_read_is_read_again(site: Site) -> None:
    """An installer mends a wire and goes on where they were."""
    says, site.probe.says = site.probe.says, lambda _request: []  # type: ignore[method-assign,assignment]

    def ask(question: str) -> str:
        if "again" in question:
            site.probe.says = says  # type: ignore[method-assign]
            return "y"
        return "1234.5" if "display" in question else ""

    async with site.open(more='deadline = "50ms"'):
        options = Options(site.file, out=site.folder / "out", pdf=False)
        assert await commission(options, site.told.append, ask, lambda: NOON) == 0
    assert "It cannot be read" in site.said


async def test_a_silent_meter_is_in_the_report(site: Site) -> None:
    """What cannot be read fails with its reason, and nobody waits for ever."""
    site.probe.says = lambda _request: []  # type: ignore[method-assign,assignment]
    async with site.open(more='deadline = "50ms"'):
        code, record = await site.run(answers(display='"1234.5"'))
    assert code == 1
    assert record["meters"][0]["display"]["verdict"] == "failed"
    assert record["meters"][0]["display"]["trouble"]


def _in_order(probe: Probe, order: str) -> Any:
    """Answer with words and bytes in another order."""

    def says(request: bytes) -> list[tuple[float, bytes]]:
        (after, frame), *_ = Probe.says(probe, request)
        head, data = frame[:9], frame[9:]
        at = struct.unpack(">H", request[8:10])[0]
        assert at % 2 == 0
        parts = [data[n : n + 4] for n in range(0, len(data), 4)]
        if order in ("CDAB", "DCBA"):
            parts = [part[2:] + part[:2] for part in parts]
        if order in ("BADC", "DCBA"):
            parts = [bytes((part[1], part[0], part[3], part[2])) for part in parts]
        return [(after, head + b"".join(parts))]

    return says
