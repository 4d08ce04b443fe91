"""The homes of the labelled series, as rows of a replay.

They are no part of the project: NABD_SERIES names their folder.
Tables of consumption become registers: what an hour held is shown at its end.
"""

import csv
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from gateway.alerts.series import Mark, Row

FOLDER = Path(os.environ.get("NABD_SERIES", Path(__file__).parents[2] / "shared" / "series"))
HOUR_MS, MINUTE_MS = 3_600_000, 60_000
FIRST = 10_000_000.0
"""What a register made of a table shows at the beginning."""
WH, LITRES = 1000.0, 1 / 0.011
"""Of a kWh: watt-hours, and litres of gas as the source has them."""


class Happened(NamedTuple):
    """A label: what happened in a home, from when to when (UTC ms), and the rule that should tell."""

    home: str
    kind: str
    start: int
    end: int
    expect: str
    params: str


def there() -> bool:
    """Tell whether the series are on this machine."""
    return (FOLDER / "index.csv").exists()


def table(name: str) -> list[dict[str, str]]:
    """Read a table."""
    with (FOLDER / name).open(newline="") as file:
        return list(csv.DictReader(file))


def moment(text: str) -> int:
    """Read a time as UTC ms; naive ones are taken as UTC, which is the replay's zone."""
    when = datetime.fromisoformat(text)
    return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)


def register(
    meter: str, key: str, amounts: Iterable[tuple[int, str]], scale: float, length: int = HOUR_MS
) -> list[Row]:
    """Sum amounts up, each with the time at which its `length` ms began; a gap leaves what it held out."""
    rows: list[Row] = []
    total = FIRST
    for ts, amount in amounts:
        if amount == "":
            continue
        if not rows:
            rows.append(Row(ts, meter, key, total))
        total = round(total + float(amount) * scale, 3)
        rows.append(Row(ts + length, meter, key, total))
    return rows


def column(name: str, field: str, ended: int = 0) -> list[tuple[int, str]]:
    """Give a column of a table with the times it began; `ended` is its length where the table tells its end."""
    return [(moment(line["ts"]) - ended, line[field]) for line in table(name)]


def real_homes() -> Iterator[tuple[str, list[Row]]]:
    """Give the electricity of real homes: California less their panels, Great Britain, France."""
    lines = table("elec_ca_homes_hourly.csv")
    for home in sorted({field[:3] for field in lines[0] if field.endswith("_load")}):
        name = f"ca-{home}"
        net = [
            (moment(line["ts"]), str(max(0.0, float(line[f"{home}_load"]) - float(line[f"{home}_pv"]))))
            for line in lines
        ]
        yield name, register(name, "energy_import_wh", net, WH)
    halves = column("elec_uk_home_halfhourly.csv", "kwh", HOUR_MS // 2)
    yield "gb-1", register("gb-1", "energy_import_wh", halves, WH, HOUR_MS // 2)
    hours = column("elecgas_uk_home_hourly_2020-2021.csv", "elec_kwh", HOUR_MS)
    yield "gb-2", register("gb-2", "energy_import_wh", hours, WH)
    yield "fr-1", register("fr-1", "energy_import_wh", column("elec_fr_home_hourly_2007-2008.csv", "kwh"), WH)


def real_gas() -> list[Row]:
    """Give the gas of a real home."""
    amounts = column("elecgas_uk_home_hourly_2020-2021.csv", "gas_kwh", HOUR_MS)
    return whole(register("gb-2", "gas_volume_l", amounts, LITRES))


def labelled_water() -> list[Row]:
    """Give the three labelled water homes, which are registers already."""
    return [
        Row(moment(line["ts"]), home, "water_volume_l", float(line[f"{home}_reg_l"]))
        for line in table("labelled_water_homes_15min.csv")
        for home in ("sa", "sb", "sc")
        if line[f"{home}_reg_l"]
    ]


def labelled_gas() -> list[Row]:
    """Give the labelled gas home."""
    amounts = column("labelled_gas_home_hourly.csv", "gas_kwh")
    return whole(register("uk0", "gas_volume_l", amounts, LITRES))


def labelled_electricity() -> list[Row]:
    """Give the three labelled electricity homes."""
    file = "labelled_elec_homes_hourly.csv"
    rows = [
        row
        for home in ("h01", "h03", "h05")
        for row in register(home, "energy_import_wh", column(file, f"{home}_import_kwh"), WH)
    ]
    return rows + register("h05", "energy_export_wh", column(file, "h05_export_kwh"), WH)


def french_minutes() -> list[Row]:
    """Give ten days of minutes of a real home: voltage and current."""
    lines = table("elec_fr_home_1min_2007-02.csv")
    fields: Mapping[str, str] = {"v": "voltage_v", "i_a": "current_a"}
    return [
        Row(moment(line["ts"]), "fr-1", key, float(line[field]))
        for line in lines
        for field, key in fields.items()
        if line[field]
    ]


def french_readings() -> Iterator[int]:
    """Give the minutes (UTC ms) in which the logger of that home spoke in two years.

    Labelled gaps are as labelled. Of the other hours only the number of minutes is known: those that lack stand at
    the hour's end, all in one, which is the longest silence they can have been.
    """
    gaps = [(moment(line["start"]), moment(line["end"])) for line in table("elec_fr_home_gaps_labels.csv")]
    for line in table("elec_fr_home_hourly_2007-2008.csv"):
        begin, spoken = moment(line["ts"]), int(line["n_min"])
        minutes = [begin + n * MINUTE_MS for n in range(60)]
        if any(start < begin + HOUR_MS and end >= begin for start, end in gaps):
            yield from (ts for ts in minutes if not any(start <= ts <= end for start, end in gaps))
        else:
            yield from minutes[:spoken]


def gaps_of_french_readings() -> list[tuple[int, int]]:
    """Give the labelled gaps of half an hour and more, UTC ms."""
    return [(moment(line["start"]), moment(line["end"])) for line in table("elec_fr_home_gaps_labels.csv")]


def whole(rows: Iterable[Row]) -> list[Row]:
    """Show whole litres, as gas meters do."""
    return [row._replace(value=float(int(row.value))) for row in rows]


def labels(commodity: str) -> list[Happened]:
    """Give what happened in the labelled homes of `water`, `gas` or `elec`."""
    name = f"labelled_{commodity}_home{'' if commodity == 'gas' else 's'}_labels.csv"
    return [
        Happened(
            line["home"], line["kind"], moment(line["start"]), moment(line["end"]), line["expect_alert"], line["params"]
        )
        for line in table(name)
    ]


def away(known: Iterable[Happened]) -> list[Mark]:
    """Give when customers said that they were away, and back."""
    spans = [label for label in known if "away=1" in label.params]
    return [
        mark for label in spans for mark in (Mark(label.start, label.home, True), Mark(label.end, label.home, False))
    ]
