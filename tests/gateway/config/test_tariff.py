"""The table [tariff]: names become tariffs, and mistakes say what to write instead."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.config.rules.tariff import TariffAdviceTable
from gateway.config.tariff import TariffTable
from gateway.config.values import Context
from gateway.tariff.file import SHIPPED
from gateway.tariff.model import Plan
from gateway.tariff.periods import validity_of


def read(folder: Path, **options: Any) -> TariffTable:
    """Validate a table as the loader does."""
    return TariffTable.model_validate(options, context=Context(folder, {}))


def test_nothing_is_needed(tmp_path: Path) -> None:
    """Without tariffs there are no costs, and one dwelling unit."""
    table = read(tmp_path)
    assert (table.electricity, table.water, table.dwelling_units) == (None, None, 1)


def test_a_shipped_tariff_and_ones_own(tmp_path: Path) -> None:
    """A file in tariffs/ beside the configuration wins over the shipped one."""
    (tmp_path / "tariffs").mkdir()
    text = (SHIPPED / "saudi_water_residential.toml").read_text(encoding="utf-8")
    (tmp_path / "tariffs/saudi_water_residential.toml").write_text(text.replace("SAR", "EUR"), encoding="utf-8")
    table = read(tmp_path, water="saudi_water_residential", electricity="flat_electricity", dwelling_units=3)
    assert table.water is not None
    assert table.electricity is not None
    assert (table.water.currency, table.electricity.name, table.dwelling_units) == ("EUR", "flat_electricity", 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"water": "saudi_water_residentail"}, "there is no such tariff"),
        ({"water": "flat_electricity"}, "prices electricity"),
        ({"gas": 3}, "must be text"),
        ({"dwelling_units": 0}, "greater than or equal to 1"),
        ({"watr": "x"}, "not permitted"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    """A misspelt name, the wrong commodity, the wrong type, no dwelling."""
    with pytest.raises(ValidationError, match=said):
        read(tmp_path, **options)


def test_a_damaged_tariff_is_told_with_its_place(tmp_path: Path) -> None:
    """The tariff's own error comes through."""
    (tmp_path / "tariffs").mkdir()
    (tmp_path / "tariffs/mine.toml").write_text('name = "mine"\n')
    with pytest.raises(ValidationError, match=r"cannot be used: .*mine\.toml"):
        read(tmp_path, water="mine")


def test_a_tariff_out_of_date_is_the_operators_to_mend(tmp_path: Path) -> None:
    """All of them in one sentence, from the midnight after the last day."""
    table = read(tmp_path, water="saudi_water_residential", electricity="flat_electricity")
    assert table.water is not None
    ends = validity_of(Plan(table.water))[1]
    assert table.fault(ends - 1) == ""
    assert table.fault(ends).startswith("out of date, so nothing is priced by them: saudi_water_residential (until ")


def test_offers_are_tariffs_too(tmp_path: Path) -> None:
    """By the same names, from the same folders."""
    context = Context(tmp_path, {})
    table = TariffAdviceTable.model_validate({"offers": ["time_of_use_electricity"]}, context=context)
    assert [offer.name for offer in table.offers] == ["time_of_use_electricity"]
    with pytest.raises(ValidationError, match="there is no such tariff"):
        TariffAdviceTable.model_validate({"offers": ["time_of_use"]}, context=context)
