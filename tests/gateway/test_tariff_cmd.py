"""`nabd tariff`: explains a file, bills a series line by line, and says what is wrong."""

import re
from argparse import Namespace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.cli import main
from gateway.tariff.file import SHIPPED, load_file
from gateway.tariff_cmd import run

SERIES = """time,meter,quantity,value
2026-02-01T00:00,w,water_volume,1000
2026-02-15T00:00,w,water_volume,41000
2026-03-01T00:00,w,water_volume,91000
2026-03-05T00:00,w,water_volume,99000
"""


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Give a file of a water register."""
    path = tmp_path / "series.csv"
    path.write_text(SERIES)
    return path


def test_bills_line_by_line(series: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A whole month and a begun one, each line with its arithmetic, and the totals."""
    assert main(["tariff", "bill", "saudi_water_residential", str(series)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "2026-02-01 to 2026-02-28: 90 m3, 100.0 % of the time known"
    assert said[5].split() == ["Water,", "over", "60", "m3", "30", "m3", "x", "6", "180.00"]
    assert said[6].split() == ["Sewage", "301.5", "x", "50", "%", "150.75"]
    assert said[9].split() == ["Total", "SAR", "525.84"]
    assert "so far, up to 2026-03-05 00:00" in said[11]
    assert said[-1].split() == ["Total", "SAR", "7.13"]


def test_a_span_and_dwelling_units(series: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only February, three dwelling units: the limits shown are theirs."""
    options = ["--from", "2026-02-01", "--until", "2026-02-28", "--dwelling-units", "3"]
    assert main(["tariff", "bill", "saudi_water_residential", str(series), *options]) == 0
    said = capsys.readouterr().out
    assert "45 to 90 m3" in said
    assert said.split()[-1] == "91.14"
    assert "2026-03-01 to" not in said


def test_no_bill_has_a_reason(series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the main fuse, after the tariff's end, without readings: exit 1 and what to do."""
    power = tmp_path / "power.csv"
    power.write_text(SERIES.replace("water_volume", "energy_import"))
    assert main(["tariff", "bill", "saudi_electricity_residential", str(power)]) == 1
    assert "rating" in capsys.readouterr().err
    series.write_text(SERIES.replace("2026-", "2028-"))
    assert main(["tariff", "bill", "saudi_water_residential", str(series)]) == 1
    assert "out of date" in capsys.readouterr().err
    assert main(["tariff", "bill", "saudi_water_residential", str(series), "--until", "2026-01-01"]) == 1
    assert "no two readings" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("tariff", "text", "said"),
    [
        ("no_such", SERIES, "there is no such tariff"),
        ("flat_electricity", SERIES, "has no energy_import_wh"),
        ("saudi_water_residential", SERIES + "2026-03-06T00:00,v,water_volume,1\n", "name one with --meter: v, w"),
        ("saudi_water_residential", "pear\n", "header"),
    ],
)
def test_what_cannot_be_used(
    series: Path, capsys: pytest.CaptureFixture[str], tariff: str, text: str, said: str
) -> None:
    """A wrong name or file ends with 2 and one line."""
    series.write_text(text)
    assert main(["tariff", "bill", tariff, str(series)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("count", ["0", "-3", "many", "1000000"])
def test_counts_are_whole_numbers(series: Path, count: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Dwelling units and ampere are numbers from 1 on."""
    with pytest.raises(SystemExit):
        main(["tariff", "bill", "saudi_water_residential", str(series), "--breaker", count])
    assert "a whole number from 1" in capsys.readouterr().err


@pytest.mark.parametrize(("today", "code"), [(date(2026, 11, 22), 0), (date(2027, 2, 3), 0), (date(2027, 2, 4), 1)])
def test_a_tariff_is_explained(today: date, code: int) -> None:
    """Source, dates, prices with all that comes on them, fees; a day after its end it says so."""
    said: list[str] = []
    options = Namespace(what="check", tariff=Path("saudi_water_residential"), today=lambda: today)
    assert run(options, said.append, said.append) == code
    text = "\n".join(said)
    for part in (
        "2020-07-01 to 2027-02-03",
        "over 60 m3",
        "10.35 SAR/m3",
        "Sewage: 50 % of the water's cost",
        "VAT: 15 %",
    ):
        assert part in text
    assert ("does not hold today" in text) == bool(code)


def test_times_of_use_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Hours, days and months of each rate."""
    main(["tariff", "check", "time_of_use_electricity"])
    assert "Winter evening, 17:00-20:00, mon tue wed thu fri, months 11 12 1 2," in capsys.readouterr().out


def test_advice_shows_both_bills_of_each_month(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three months at 10 kWh a day: 0.10 a kWh now, 0.09 with the offer; one that saves too little, one from abroad."""
    text = (SHIPPED / "flat_electricity.toml").read_text(encoding="utf-8")
    prices = {"mine": "0.10", "cheap": "0.09", "near": "0.099"}
    for name, price in prices.items():
        made = re.sub(r"(?ms)^\[billing\].*?(?=^\[)", "[billing]\nday = 1\n", text)
        made = re.sub(r"(?ms)^\[\[(fee|tax)\]\].*?(?=^\[|\Z)", "", made).replace('"flat_electricity"', f'"{name}"')
        (tmp_path / f"{name}.toml").write_text(re.sub(r"prices = .*", f"prices = [{price}]", made), encoding="utf-8")
    zone = ZoneInfo(load_file(tmp_path / "mine.toml").zone)
    days = [datetime(2026, 1, 1, tzinfo=zone) + timedelta(days=n) for n in range(91)]
    rows = [f"{day.isoformat()},e,energy_import,{10_000 * n}" for n, day in enumerate(days)]
    (tmp_path / "series.csv").write_text("\n".join(["time,meter,quantity,value", *rows]) + "\n")
    given = ["tariff", "advise", str(tmp_path / "mine.toml"), str(tmp_path / "series.csv")]
    offers = [str(tmp_path / "cheap.toml"), str(tmp_path / "near.toml"), "saudi_electricity_residential"]
    assert main([*given, *(part for offer in offers for part in ("--offer", offer))]) == 0
    said = capsys.readouterr().out
    assert "31.00 now       27.90 then        3.10 saved    10.0 %" in said
    assert "would not have saved 5 % in each month" in said
    assert "is for another commodity, currency or zone" in said
    assert said.splitlines()[-1].startswith("Advised: cheap, 9.00 ")
    assert main([*given, "--offer", str(tmp_path / "near.toml")]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "No tariff is advised."
