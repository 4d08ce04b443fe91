"""DLMS meter models: which object is which quantity, how the meter is asked, or what the lists are that it pushes.

1. A row names an OBIS code in full, a quantity of the closed list, and unit and power of ten that count where the wire
   names none. `class` and `attribute` say what is read; a register's value when they are left out.
2. `[asking]` makes it a meter that is asked: over which link, as which client, how it is proven and protected. Without
   it the meter pushes.
3. `[[lists]]` gives codes to the values of a push that names none, by version and place.
4. `[history]` names the load profile from which gaps are filled.
5. An example is a push as it comes, or what the attributes that are read hold.
"""

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, StringConstraints

from drivers.contract import DecodeError
from drivers.dlms.acse import Mechanism
from drivers.dlms.apdu import decode
from drivers.dlms.association import Manner
from drivers.dlms.axdr import decode as decode_value
from drivers.dlms.entries import entries
from drivers.dlms.layout import Asking, History, Layout
from drivers.dlms.measured import Places, Register, Said, of_answers, of_entries
from drivers.dlms.notices import DataNotification
from drivers.dlms.objects import Descriptor
from drivers.dlms.push import Decoder, without_llc
from drivers.dlms.sealed import CIPHERED, SIGNED
from drivers.obis import Code, Obis, RowOfFile, compare, compile_rows
from drivers.profiles import Profile, ProfileError, ProfileFile, Strict

_MECHANISMS = {"none": Mechanism.NONE, "lls": Mechanism.LOW, "gmac": Mechanism.HIGH_GMAC, "keys": None}
_PROTECTIONS = {"none": 0, "signed": SIGNED, "ciphered": CIPHERED, "both": SIGNED | CIPHERED}

Seven = Annotated[int, Field(ge=1, le=7)]


class DlmsRow(RowOfFile):
    """`{ obis = "1-0:1.8.0", quantity = "energy_import", unit = "kWh" }`, and what is not as usual."""

    scaler: int = Field(0, ge=-20, le=20)
    class_id: int = Field(3, alias="class", ge=1, le=65535)
    attribute: int = Field(2, ge=1, le=127)


class AskingTable(Strict):
    """How the meter is asked."""

    link: Literal["hdlc", "wrapper", "mode-e", "usual"] = "usual"
    client: int = Field(16, ge=1, le=127)
    server: int = Field(1, ge=0, le=16383)
    mechanism: Literal["none", "lls", "gmac", "keys"] = "keys"
    protection: Literal["none", "signed", "ciphered", "both"] = "both"
    general: bool = False
    dedicated: bool = False
    window: Seven = 7
    frame: int = Field(1024, ge=32, le=2000)
    counter: Code | None = None
    title: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{16}$")] | None = None


class HistoryTable(Strict):
    """Where gaps are filled from; `zone` is the meter's, where its times name no deviation."""

    obis: Code = "1-0:99.1.0"
    zone: str = "UTC"


class ListTable(Strict):
    """One pushed list: the code of each place, "" for a value that is no row."""

    version: str | None = None
    codes: tuple[str, ...] = Field(min_length=1)


class Example(Strict):
    """A push, from its first byte or its link header on, or attributes by code and number; and what they say."""

    push: str | None = None
    answers: dict[str, str] = Field(default_factory=dict)
    readings: dict[str, float]


class File(ProfileFile):
    """A DLMS meter model."""

    driver: Literal["dlms"]
    asking: AskingTable | None = None
    history: HistoryTable | None = None
    lists: tuple[ListTable, ...] = ()
    rows: tuple[DlmsRow, ...] = Field(min_length=1)
    examples: tuple[Example, ...] = Field(min_length=1)

    def compile(self) -> Layout:
        """Resolve codes, quantities, units and the manner of asking; raises ProfileError."""
        rows = compile_rows(self.rows)
        registers = tuple(
            Register(Descriptor(file.class_id, code_of(file.obis, f"rows.{number}"), file.attribute), row, file.scaler)
            for number, (file, row) in enumerate(zip(self.rows, rows, strict=True))
        )
        lists = tuple(
            Places(table.version, tuple(code_of(code, f"lists.{number}") if code else None for code in table.codes))
            for number, table in enumerate(self.lists)
        )
        return Layout(registers, lists, self._asking(), self._history())

    def quantities(self) -> tuple[str, ...]:
        """Name the quantities in the order of the rows, each once."""
        return tuple(dict.fromkeys(row.quantity for row in self.rows))

    def prove(self, profile: Profile) -> None:
        """Decode every example and compare; raises ProfileError."""
        for number, example in enumerate(self.examples):
            self._prove(profile.layout, example, f"examples.{number}")

    def _asking(self) -> Asking | None:
        table = self.asking
        if table is None:
            return None
        return Asking(
            table.link, table.client, table.server, table.window, table.frame, _MECHANISMS[table.mechanism],
            Manner(Mechanism.NONE, _PROTECTIONS[table.protection], table.general, table.dedicated),
            code_of(table.counter, "asking.counter") if table.counter else None,
            bytes.fromhex(table.title) if table.title else None,
        )  # fmt: skip

    def _history(self) -> History | None:
        table = self.history
        if table is None:
            return None
        try:
            zone = ZoneInfo(table.zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ProfileError(None, "history.zone", f"{table.zone!r} is no time zone", "Europe/Zurich") from None
        return History(Descriptor(7, code_of(table.obis, "history.obis"), 2), zone)

    def _prove(self, layout: Layout, example: Example, place: str) -> None:
        compare(self.rows, example.readings, _said(layout, example, place).values, place)


def code_of(text: str, place: str) -> bytes:
    """Give the six bytes of a code; raises ProfileError for one that leaves a part out."""
    code = Obis.parse(text)
    try:
        # A part left out is None, which makes bytes() raise as a part beyond 255 does.
        parts: tuple[Any, ...] = (
            (code.a, code.b, int(code.c), int(code.d), code.e, 255 if code.f is None else code.f) if code else (None,)
        )
        return bytes(parts)
    except (TypeError, ValueError):
        raise ProfileError(None, place, f"{text} is no code of six bytes", "write it in full: 1-0:1.8.0") from None


def _said(layout: Layout, example: Example, place: str) -> Said:
    try:
        if example.push is None:
            return of_answers(layout.registers, _answers(example, place))
        data = bytes.fromhex(example.push)
        # A push is given as it came from the line, or as the one message that it carried.
        messages = Decoder().feed(data) or [decode(without_llc(data))]
    except (ValueError, DecodeError) as error:
        raise ProfileError(None, place, str(error), "hexadecimal digits of whole messages") from None
    if len(messages) != 1 or not isinstance(messages[0], DataNotification):
        raise ProfileError(None, f"{place}.push", "is not one notification", "a whole one, and not ciphered")
    return of_entries(layout.registers, layout.lists, entries(messages[0].body))


def _answers(example: Example, place: str) -> dict[Descriptor, Any]:
    """Read `"3 1-0:1.8.0 2" = "06 00000001"`: class, code, attribute, value."""
    answers = {}
    for name, digits in example.answers.items():
        try:
            class_id, code, attribute = name.split()
            target = Descriptor(int(class_id), code_of(code, place), int(attribute))
        except ValueError:
            raise ProfileError(None, f"{place}.answers", f"{name!r} names nothing", "class, code, attribute") from None
        answers[target] = decode_value(bytes.fromhex(digits))
    return answers
