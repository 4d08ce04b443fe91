"""Flags that meters raise: whose bits count, where they stand, and what a file may say of them."""

from typing import Any

import pytest
from pydantic import ValidationError

from drivers.mbus.flags import FlagsOfFile, check_flags, compile_flags, flags_of
from drivers.mbus.records import decode_records
from drivers.mbus.telegram import Header, Identity
from drivers.profiles import ProfileError

KAM = Identity("12345678", "KAM", 0x1B, 0x16)
RULE: dict[str, Any] = {"makers": ["KAM"], "bits": {0: "dry"}}


def raised(rules: list[dict[str, Any]], records: str = "", status: int = 0, who: Identity | None = KAM) -> set[str]:
    """Give the flags of a meter with these rules and records."""
    found = compile_flags(tuple(FlagsOfFile.model_validate(rule) for rule in rules))
    return set(flags_of(found, who, Header(4, None, 0, status), decode_records(bytes.fromhex(records))))


def test_common_bits_need_no_rule() -> None:
    """Low battery, permanent and temporary error mean the same with every maker; his own three bits mean nothing."""
    assert raised([], status=0x04, who=None) == {"battery_low"}
    assert raised([], status=0x08) == raised([], status=0x10) == {"measurement_error"}
    assert raised([], status=0xE3) == set()


def test_a_maker_may_mean_something_else_by_a_common_bit() -> None:
    """A rule for the status takes its bit from the common meaning; other bits keep theirs."""
    rule = RULE | {"bits": {4: "burst"}, "mask": 3, "values": {3: "leak"}}
    assert raised([rule], status=0x17) == {"burst", "leak", "battery_low"}
    assert raised([rule], status=0x01) == set()
    assert raised([rule], status=0x02) == set()


def test_rules_are_of_makers_and_versions() -> None:
    """Another maker's meter, another version, and one that nobody knows raise nothing."""
    rule = RULE | {"record": "02FF20", "versions": [0x1B]}
    assert raised([rule], "02FF200100") == {"dry"}
    assert raised([rule], "02FF200100", who=Identity("12345678", "APA", 0x1B, 0x16)) == set()
    assert raised([rule], "02FF200100", who=Identity("12345678", "KAM", 0x1C, 0x16)) == set()
    assert raised([rule], "02FF200100", who=None) == set()
    assert raised([rule], "02FF210100") == set()


def test_the_highest_bit_is_a_bit() -> None:
    """What means "no value" to a number is one bit to flags; a record with an error has none."""
    rule = RULE | {"record": "04FF22", "bits": {31: "leak"}}
    assert raised([rule], "04FF2200000080") == {"leak"}
    assert raised([rule], "04FF220000008F") == {"leak"}
    assert raised([rule], "04FF2200000070") == set()
    assert raised([RULE | {"record": "01FD9715", "bits": {7: "leak"}}], "01FD971580") == set()


def test_bits_in_the_makers_block() -> None:
    """A place counted behind the mark, where the block begins as the rule says; none beyond its end."""
    rule = RULE | {"block": 1, "starts": "01"}
    assert raised([rule], "0F0101") == {"dry"}
    assert raised([rule], "0F0201") == raised([rule], "0F01") == raised([rule], "") == set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"bits": {}}, {"record": "02FF20", "block": 0}, {"makers": ["Kamstrup"]}, {"makers": []}, {"record": "2FF20"},
        {"mask": 1, "values": {2: "leak"}}, {"mask": 1, "values": {0: "leak"}}, {"bits": {64: "leak"}},
        {"versions": [256]},
    ],
)  # fmt: skip
def test_a_rule_that_says_nothing_is_refused(wrong: dict[str, Any]) -> None:
    """No bits, two places, values outside their mask, makers without three letters."""
    with pytest.raises(ValidationError):
        FlagsOfFile.model_validate(RULE | wrong)


def test_only_words_of_the_closed_list() -> None:
    """A word that no alert knows is told, with the words there are."""
    with pytest.raises(ProfileError, match="'wet' is not in the closed list"):
        compile_flags((FlagsOfFile.model_validate(RULE | {"bits": {0: "wet"}}),))


def test_an_example_names_all_its_flags() -> None:
    """Order does not matter; one more or less does."""
    check_flags("x", ("leak", "dry"), ("dry", "leak"))
    with pytest.raises(ProfileError, match="are \\['leak'\\]"):
        check_flags("x", ("leak",), ())
