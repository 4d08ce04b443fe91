"""Tariff files: the shipped ones, the manual's, and mistakes that are named with their place."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.tariff import TariffError, available, load, load_file
from gateway.tariff.file import SHIPPED
from gateway.tariff.model import EveryDays

ROOT = Path(__file__).parents[3]
GOOD = (SHIPPED / "saudi_water_residential.toml").read_text(encoding="utf-8")
BY_HOUR = (SHIPPED / "time_of_use_electricity.toml").read_text(encoding="utf-8")
BY_FUSE = (SHIPPED / "saudi_electricity_residential.toml").read_text(encoding="utf-8")


def written(folder: Path, text: str) -> Path:
    """Write a tariff under the name it gives itself."""
    match = re.search(r'^name = "(\w+)"', text, re.MULTILINE)
    path = folder / f"{match[1] if match else 'x'}.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", sorted(available()))
def test_every_shipped_tariff_loads(name: str) -> None:
    """Each has both languages, a source, an end, and says in its head that it is an example."""
    tariff = load(name)
    assert tariff.source
    assert tariff.valid_until < date(2028, 1, 1)
    assert re.search("[\u0600-\u06ff]", tariff.title.ar)
    assert "example" in tariff.title.en
    assert re.search("EXAMPLE|INVENTED", (SHIPPED / f"{name}.toml").read_text(encoding="utf-8").split("\n\n")[0])


def test_prices_are_exact() -> None:
    """Ten halala are a tenth, as no float is."""
    assert load("saudi_water_residential").rates[0].prices == tuple(map(Decimal, ("0.10", "1", "3", "4", "6")))
    assert load("flat_electricity").billing == EveryDays(30, date(2024, 1, 1))


def test_the_manual_shows_a_tariff(tmp_path: Path) -> None:
    """The example of docs/reference/tariffs.md is one, and so is the rate beside it."""
    text = (ROOT / "docs/reference/tariffs.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert load_file(written(tmp_path, blocks[0])).name == "river_water"
    rate = blocks[1].replace("[0.40]", "[1, 2, 3]")
    assert len(load_file(written(tmp_path, blocks[0].replace("[[rate]]", f"{rate}\n[[rate]]"))).rates) == 2


def test_hours_over_midnight_are_two_windows() -> None:
    """22:00 to 06:00 is the day's last eight quarters and its first twenty-four."""
    assert load("time_of_use_electricity").rates[1].hours == ((88, 96), (0, 24))


def test_ones_own_folder_comes_first(tmp_path: Path) -> None:
    """A file of the same name beside the configuration wins."""
    written(tmp_path, GOOD.replace("percent = 15", "percent = 5"))
    assert load("saudi_water_residential", [tmp_path]).taxes[0].percent == 5
    assert available([tmp_path])["saudi_water_residential"].parent == tmp_path


@pytest.mark.parametrize(
    ("text", "before", "after", "said"),
    [
        (GOOD, "valid_until = 2027-02-03\n", "", "valid_until: field required"),
        (GOOD, "valid_until = 2027-02-03", "valid_until = 2019-02-03", "valid_until is before valid_from"),
        (GOOD, "valid_until = 2027-02-03", "valid_until = 9999-12-31", "valid_until: input should be less than"),
        (GOOD, "tiers =", "tier =", "tier: extra inputs"),
        (GOOD, "[15, 30, 45, 60]", "[15, 45, 30, 60]", "tiers do not rise"),
        (GOOD, "[15, 30, 45, 60]", "[0, 30, 45, 60]", "tiers do not rise"),
        (GOOD, "[15, 30, 45, 60]", "[15, 30, 45]", "5 prices for 4 tiers"),
        (GOOD, "[0.10, 1, 3, 4, 6]", "[0.10, 1, 3, 4, -6]", "rate.0.prices.4: input should be greater"),
        (GOOD, "[0.10, 1, 3, 4, 6]", "[0.10, 1, 3, 4, nan]", "rate.0.prices.4: input should be a finite number"),
        (GOOD, "[0.10, 1, 3, 4, 6]", "[0.10, 1, 3, 4, 1e300]", "rate.0.prices.4:"),
        (GOOD, 'unit = "m3"', 'unit = "kWh"', "water is priced by m3"),
        (GOOD, 'commodity = "water"', 'commodity = "gas"', "sewage goes with water only"),
        (GOOD, "Asia/Riyadh", "Asia/Riyad", "zone: is no time zone"),
        (GOOD, "day = 1 ", "day = 32 ", "billing.day: input should be less"),
        (GOOD, "day = 1 ", "every_days = 30 ", "billing: write either day"),
        (GOOD, "day = 1 ", "day = 1\nfirst = 2026-01-01 ", "billing: write either day"),
        (GOOD, "percent = 15", "percent = 150", "tax.0.percent: input should be less"),
        (GOOD, '"SAR"', '"riyal"', "currency: string should match"),
        (GOOD, "to = 0.01", "to = 0", "rounding.to: input should be greater"),
        (GOOD, "[billing]", "[billing", "mend the TOML"),
        (BY_HOUR, "prices = [0.29]", 'prices = [0.29]\ndays = ["mon"]', "the last rate has conditions"),
        (BY_HOUR, "17:00-20:00", "17:00-20:10", 'hours.0: hours are written like "22:00-06:00"'),
        (BY_HOUR, "17:00-20:00", "17:00-25:00", "hours are written like"),
        (BY_HOUR, "17:00-20:00", "17:00-17:00", "hours are written like"),
        (BY_HOUR, '"fri"', '"friday"', "rate.0.days.4: input should be"),
        (BY_HOUR, "[11, 12, 1, 2]", "[13]", "rate.0.months.0: input should be less"),
        (BY_FUSE, "from_a = 200", "from_a = 201", "fees by main fuse must"),
        (BY_FUSE, "below_a = 100", "below_a = 90", "fees by main fuse must"),
        (BY_FUSE, "from_a = 401", "from_a = 401\nbelow_a = 500", "fees by main fuse must"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, before: str, after: str, said: str) -> None:
    """Whatever is wrong, the error says where, what, and which file."""
    assert before in text
    with pytest.raises(TariffError) as caught:
        load_file(written(tmp_path, text.replace(before, after)))
    assert said.lower() in str(caught.value).lower()
    assert str(tmp_path) in str(caught.value)


def test_a_file_is_named_like_its_tariff(tmp_path: Path) -> None:
    """A copy under another name must name itself so, or two files would be one tariff."""
    (tmp_path / "copy.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(TariffError, match="name it 'copy'"):
        load_file(tmp_path / "copy.toml")


@pytest.mark.parametrize("name", ["no_such", "../../etc/passwd", "", "Saudi"])
def test_a_name_that_is_none(name: str) -> None:
    """It never leaves the folders, and the error lists what there is."""
    with pytest.raises(TariffError, match="saudi_water_residential"):
        load(name)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"x" * 300_000, b"", b"a = 1\x00"])
def test_what_is_no_tariff_file(tmp_path: Path, data: bytes) -> None:
    """Damage, size and emptiness are errors of the one kind."""
    path = tmp_path / "x.toml"
    path.write_bytes(data)
    with pytest.raises(TariffError):
        load_file(path)
    with pytest.raises(TariffError):
        load_file(tmp_path)
