"""Which model a code stands for: only codes of the same register count, and only those that a profile claims."""

from pathlib import Path

import pytest

from drivers.modbus.model_code import stranger
from drivers.profiles import load_file

PROFILE = """
name     = "{name}"
title    = "{name}"
driver   = "modbus"
source   = "a test"
evidence = "one-source"
table    = "input"
registers = [{{ at = 0, quantity = "voltage", unit = "V", type = "u16" }}]
[identify]
table  = "{table}"
at     = {at}
values = {values}
[[examples]]
bytes    = {{ 0 = "00E6" }}
readings = {{ voltage = 230 }}
"""


def written(folder: Path, name: str, values: list[int], table: str = "input", at: int = 11) -> Path:
    """Write a profile that identifies its model."""
    path = folder / f"{name}.toml"
    path.write_text(PROFILE.format(name=name, table=table, at=at, values=values))
    return path


@pytest.mark.parametrize(("code", "named"), [(71, None), (72, "other (other)"), (73, None), (74, None), (99, None)])
def test_only_a_claim_of_the_same_register_counts(tmp_path: Path, code: int, named: str | None) -> None:
    """71 is the profile's own, 72 another's, 73 and 74 stand elsewhere, 99 is nobody's."""
    others = [
        own := written(tmp_path, "own", [71]),
        written(tmp_path, "other", [72]),
        written(tmp_path, "elsewhere", [73], at=12),
        written(tmp_path, "holding", [74], table="holding"),
    ]
    assert stranger(load_file(own), code, others) == named
