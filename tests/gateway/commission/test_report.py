"""The page of a report: both languages as they were looked at, names that are only names, nothing fetched."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gateway.commission.record import ChannelRecord, DirectionCheck, DisplayCheck, MeterRecord, Record
from gateway.commission.report import page

HERE = Path(__file__).parent
HOSTILE = "<script>alert(1)</script>\"'&\u202egnp.exe\n{0}"

METER = MeterRecord(
    name="flat-7", label="شقة 7", model="Eastron SDM630 Modbus", profile="eastron-sdm630", bus="rs485-1", address="2",
    nameplate=(("serial", "4711"),), transformer="250/5", ratio="50", quantities=("energy_import",), at=1,
    values=(("energy_import_wh", "1234567"),),
    display=DisplayCheck("passed", "61728.3", "kWh", "61728.35", "61728.4", "1",
                         (("transformer", "50"),), ("ratio = 50.0",)),
    direction=DirectionCheck("passed", "import", "-1250", ("L2",)),
)  # fmt: skip
WATER = MeterRecord(
    name="water", label="Water", model="OMS water", profile="mbus", bus="mbus-1", address="00112233", offset="12345",
    display=DisplayCheck("failed", "77.001", "m³", "12.5", "12.5", "1", (("offset", "64501"),), (), "m: no answer"),
)  # fmt: skip
RECORD = Record(
    "gw-1", "home", "0.1.0", "Asia/Riyadh", "Huda", 1_795_000_000_000, 1_795_000_600_000, (METER, WATER),
    (ChannelRecord("phone", "ntfy", "confirmed"), ChannelRecord("crm", "webhook", "refused", "HTTP 403")),
)  # fmt: skip


def body(text: str) -> str:
    """Give what stands on the page, without its style."""
    return re.sub(r"<style>.*?</style>", "<style></style>", text, flags=re.DOTALL)


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_page_is_as_it_was_looked_at(language: str) -> None:
    """Both sections, word for word, the reader's language first; look at a page before you take a new one over."""
    file = HERE / f"report.{language}.html"
    assert body(page(RECORD, "aaaa-bbbb-cccc-dddd", language)) == file.read_text(encoding="utf-8")


class Tags(HTMLParser):
    """Keeps the tags, attributes and texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.texts.append(data)


def test_hostile_names_are_only_names() -> None:
    """Whatever meters, people and servers are called, the page has the same tags and no character that turns a line."""
    channel = ChannelRecord(HOSTILE, HOSTILE, "refused", HOSTILE)
    meter = replace(
        METER, name=HOSTILE, label=HOSTILE, model=HOSTILE, bus=HOSTILE, address=HOSTILE, transformer=HOSTILE,
        nameplate=((HOSTILE, HOSTILE),), ratio=HOSTILE, offset=HOSTILE,
        display=replace(METER.display, typed=HOSTILE, unit=HOSTILE, trouble=HOSTILE, changes=(HOSTILE,),
                        causes=(("register", HOSTILE),)),
        direction=replace(METER.direction, against=(HOSTILE,)),
    )  # fmt: skip
    harmless = replace(meter, display=replace(meter.display, unit="x"))
    record = replace(RECORD, gateway=HOSTILE, installer=HOSTILE, version=HOSTILE, meters=(meter,), channels=(channel,))
    seen, calm = Tags(), Tags()
    text = page(record, HOSTILE, "ar")
    seen.feed(text)
    calm.feed(page(replace(record, meters=(harmless,)), "", "ar"))
    assert seen.tags == calm.tags
    assert seen.tags.count("script") == 1
    assert not any(name.startswith("on") for name in seen.attributes)
    assert "alert(1)" in "".join(seen.texts)
    assert "\u202e" not in text


def test_nothing_is_fetched_or_run() -> None:
    """No source, no address elsewhere, and a policy that forbids both."""
    text = page(RECORD, "key", "en")
    assert not re.search(r"(?:src|action)=|url\(|https?:|@import", text)
    assert "default-src 'none'" in text
    assert set(re.findall(r'href="([^"]*)"', text)) == {"#ar", "#en"}


def test_every_section_has_its_language_and_direction() -> None:
    """Readers and screen readers are told which way each half goes."""
    text = page(RECORD, "key", "en")
    assert re.findall(r'<section id="(\w+)" lang="(\w+)" dir="(\w+)">', text) == [
        ("en", "en", "ltr"),
        ("ar", "ar", "rtl"),
    ]


def test_a_record_is_json_without_fractions() -> None:
    """What is signed must be the same bytes everywhere."""

    def refuse(text: str) -> float:
        pytest.fail(f"{text} is a fraction")

    json.loads(json.dumps(RECORD.to_dict()), parse_float=refuse)
    assert RECORD.to_dict()["passed"] is False
