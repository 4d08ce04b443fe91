"""VIFEs: what stands behind a record's VIF and changes what its value means.

1. A word is kept beside the quantity (`per_hour`, `at_l1`), so that a model can tell the total from a maximum's date.
2. A correction is applied to the value: a factor, an offset in the unit of the VIF.
3. Some words make the value another thing: the date of an event, or how long it lasted.
4. An error stands for the value that a meter cannot give.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

ERRORS: Mapping[int, str] = {
    0x01: "too many DIFEs", 0x02: "storage number not implemented", 0x03: "subunit not implemented",
    0x04: "tariff not implemented", 0x05: "function not implemented", 0x06: "data class not implemented",
    0x07: "data size not implemented", 0x0B: "too many VIFEs", 0x0C: "illegal VIF group",
    0x0D: "illegal VIF exponent", 0x0E: "VIF and DIF do not fit", 0x0F: "action not implemented",
    0x15: "no data available", 0x16: "data overflow", 0x17: "data underflow", 0x18: "data error",
    0x1C: "premature end of record",
}  # fmt: skip
"""What a meter says instead of a value it cannot give."""

_LIMITS = {
    0x40 | upper << 3: f"{name}_limit" for upper, name in enumerate(("lower", "upper"))
} | {
    0x41 | upper << 3: f"times_{name}_limit_exceeded" for upper, name in enumerate(("lower", "upper"))
}  # fmt: skip
_PER = (
    "per_second", "per_minute", "per_hour", "per_day", "per_week", "per_month", "per_year", "per_revolution",
    "per_input_pulse_0", "per_input_pulse_1", "per_output_pulse_0", "per_output_pulse_1", "per_litre", "per_m3",
    "per_kg", "per_kelvin", "per_kwh", "per_gj", "per_kw", "per_kelvin_litre", "per_volt", "per_ampere",
    "times_second", "times_second_per_volt", "times_second_per_ampere", "start_of", "uncorrected",
    "positive_only", "negative_only",
)  # fmt: skip

MODIFIERS: Mapping[int, str] = {
    0x12: "average", 0x13: "inverse_compact_profile", 0x14: "relative_deviation", 0x1D: "standard_content",
    0x1E: "compact_profile_with_registers", 0x1F: "compact_profile",
    **{0x20 + step: word for step, word in enumerate(_PER)},
    0x3D: "non_metric", 0x3E: "at_base_conditions", 0x3F: "obis_declaration",
    **_LIMITS,
    **dict.fromkeys((0x42, 0x43, 0x46, 0x47, 0x4A, 0x4B, 0x4E, 0x4F), "limit_exceeded_when"),
    **dict.fromkeys(range(0x50, 0x60), "limit_exceeded_for"),
    **dict.fromkeys(range(0x60, 0x68), "lasted"),
    0x68: "during_lower_limit_exceeded", 0x6C: "during_upper_limit_exceeded", 0x69: "leakage", 0x6D: "overflow",
    **dict.fromkeys((0x6A, 0x6B, 0x6E, 0x6F), "when"),
    0x7E: "future",
}  # fmt: skip
"""What a VIFE says of the value before it; those that carry a number are read by the decoder."""

INVERSE_PROFILE = MODIFIERS[0x13]
PROFILES = frozenset({INVERSE_PROFILE, MODIFIERS[0x1E], MODIFIERS[0x1F]})
"""Words that make of a value a container of many; history.py reads them."""

MODIFIERS_FC: Mapping[int, str] = {
    0x01: "at_l1", 0x02: "at_l2", 0x03: "at_l3", 0x04: "at_neutral", 0x05: "l1_to_l2", 0x06: "l2_to_l3",
    0x07: "l3_to_l1", 0x08: "quadrant_1", 0x09: "quadrant_2", 0x0A: "quadrant_3", 0x0B: "quadrant_4",
    0x0C: "import_minus_export", 0x10: "absolute_both_ways", 0x11: "as_type_c", 0x12: "as_type_d",
    0x13: "from_partner_to_meter", 0x14: "from_meter_to_partner",
}  # fmt: skip
"""VIFEs behind FC."""

MANUFACTURER = 0x7F
BEHIND_FC = 0xFC
_FACTORS, _OFFSETS, _THOUSAND = range(0x70, 0x78), range(0x78, 0x7C), 0x7D
_WHENS = frozenset({"limit_exceeded_when", "when", "start_of"})
_LASTINGS = (*range(0x50, 0x60), *range(0x60, 0x68))
_SECONDS = (1, 60, 3600, 86400)


@dataclass(slots=True)
class Modified:
    """What a record's VIFEs say together; `seconds` is the factor of a value that became a duration."""

    words: tuple[str, ...] = ()
    scale: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    error: str | None = None
    seconds: int | None = None

    @property
    def is_date(self) -> bool:
        """Whether the value became the date of something."""
        return not _WHENS.isdisjoint(self.words)

    @property
    def is_profile(self) -> bool:
        """Whether the value became a container of stored ones."""
        return not PROFILES.isdisjoint(self.words)


UNMODIFIED = Modified()


def modify(extensions: list[int]) -> Modified:
    """Read VIFEs; unknown ones are the word `unknown`, so that no model takes the value for something it is not."""
    if not extensions:
        return UNMODIFIED
    found, words = Modified(), list[str]()
    codes = iter(extensions)
    for extension in codes:
        code = extension & 0x7F
        if extension == BEHIND_FC:
            words.append(MODIFIERS_FC.get(next(codes, 0) & 0x7F, "unknown"))
        elif code == MANUFACTURER:
            words.append("manufacturer_specific")
            break  # what follows is the manufacturer's own
        elif code in ERRORS:
            found.error = ERRORS[code]
        elif not _correct(found, code) and code:
            words.append(MODIFIERS.get(code, "unknown"))
            if code in _LASTINGS:
                found.seconds = _SECONDS[code & 0x03]
    found.words = tuple(words)
    return found


def _correct(found: Modified, code: int) -> bool:
    """Take in a factor or an offset, if the code is one."""
    if code in _FACTORS:
        found.scale *= Fraction(10) ** (code - 0x76)
    elif code in _OFFSETS:
        found.offset += Fraction(10) ** (code - 0x7B)
    elif code == _THOUSAND:
        found.scale *= 1000
    else:
        return False
    return True
