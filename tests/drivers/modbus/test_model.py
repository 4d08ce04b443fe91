"""What a profile may say of identifying and addressing its model."""

from typing import Any

import pytest
from pydantic import ValidationError

from drivers.modbus.model import Identify, SetAddress


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"function": 6, "type": "f32"}, "function 6 writes one register"),
        ({"at": 0xFFFF}, "ends beyond the last register"),
        ({"function": 5}, "function"),
        ({"type": "u32"}, "type"),
        ({"source": ""}, "source"),
        ({"password": 1}, "password"),
    ],
)
def test_a_write_that_cannot_be_is_refused(table: dict[str, Any], words: str) -> None:
    """Only one register by 6 or a value by 16, with its source, may be allowed."""
    good = {"at": 0x14, "type": "f32", "function": 16, "source": "a test"}
    SetAddress.model_validate(good)
    with pytest.raises(ValidationError, match=words):
        SetAddress.model_validate(good | table)


def test_codes_compare_only_at_one_place() -> None:
    """The same number in another register, table or width means nothing."""
    place = Identify(table="input", at=0x0B, values=(71,))
    assert place.same_place(Identify(table="input", at=0x0B))
    for other in ({"at": 0x0C}, {"table": "holding"}, {"type": "u32"}):
        assert not place.same_place(Identify.model_validate({"table": "input", "at": 0x0B} | other))
