"""The tables [[virtual]]: a meter that nobody reads, computed of others."""

from typing import Annotated, Any

from pydantic import Field, InstanceOf, PlainValidator
from pydantic_core import PydanticCustomError

from gateway.config.table import Table, option
from gateway.config.values import Id, lasting, wrong
from gateway.virtual.formula import Formula, FormulaError, parse


def _formula(value: Any) -> Formula:
    """Take a formula of meters' names."""
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "must be text in quotes")
    try:
        return parse(value)
    except FormulaError as error:
        raise wrong(error.what, error.hint) from None


class VirtualTable(Table):
    """One meter that is computed of others, such as what is left of a house without its heat pump."""

    name: Id = option("What people call this meter here; the world sees gateway_name.")
    formula: Annotated[InstanceOf[Formula], PlainValidator(_formula)] = option(
        "The names of meters with + - * ( ) and numbers; a minus stands between spaces."
    )
    id: Id | None = option("Its name in the world instead.", None)
    within: Annotated[float, lasting("100ms", "1d")] | None = option(
        "How far apart the readings may be that it is made of; as far as its slowest part is read, unless given.", None
    )


VirtualMeters = Annotated[tuple[VirtualTable, ...], Field(strict=False, max_length=200)]
