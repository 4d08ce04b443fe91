"""What a Modbus profile may say of the model beside its values: how to know it, and how to give it another address.

    [identify]                    # a register in which meters of one name but different tables say which they are
    table  = "input"
    at     = 0x000B
    values = [71, 72, 73]         # the codes of this model; none when no source tells them

    [address]                     # the one thing that Nabd ever writes, by `nabd meter set-address`
    at       = 0x0014             # a holding register
    type     = "f32"              # f32 takes two registers, u16 one
    function = 16                 # 16 writes several registers, 6 writes one
    before   = "hold the button until the display shows -SET-"
    source   = "who says so"

A profile without `[address]` cannot have its meter's address written.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from drivers.profiles import Strict

At = Annotated[int, Field(ge=0, le=0xFFFF)]


class Identify(Strict):
    """Where the model's code stands; it is read alone."""

    table: Literal["input", "holding"]
    at: At
    type: Literal["u16", "u32"] = "u16"
    values: tuple[Annotated[int, Field(ge=0, le=0xFFFFFFFF)], ...] = ()

    def same_place(self, other: "Identify") -> bool:
        """Tell whether both read the same register, so that their codes can be compared."""
        return (self.table, self.at, self.type) == (other.table, other.at, other.type)


class SetAddress(Strict):
    """The allow-listed write of a new address."""

    at: At
    type: Literal["u16", "f32"]
    function: Literal[6, 16]
    before: str = ""
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.function == 6 and self.type != "u16":  # noqa: PLR2004  it writes one register
            raise ValueError("function 6 writes one register: type u16")
        if self.type == "f32" and self.at == 0xFFFF:  # noqa: PLR2004  the last register
            raise ValueError("the value ends beyond the last register")
        return self
