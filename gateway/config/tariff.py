"""The table [tariff]: which tariff prices what, for costs in messages and on pages."""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PlainValidator, ValidationInfo

from drivers.quantities import Commodity
from gateway.config.near import meant, printable, shown
from gateway.config.table import Table, option
from gateway.config.values import Context, given, text, wrong

if TYPE_CHECKING:
    from gateway.tariff.model import Plan, Tariff
else:
    Tariff = object  # a gateway of a fleet prices nothing, and spares its memory what does


def tariff_of(value: Any, info: ValidationInfo[Context]) -> Tariff:
    """Take a tariff's name: from tariffs/ beside the file, else a shipped one."""
    from gateway.tariff.errors import TariffError  # noqa: PLC0415
    from gateway.tariff.file import available, load  # noqa: PLC0415

    folders = (given(info).folder / "tariffs",)
    try:
        return load(text(value), folders)
    except TariffError as error:
        if error.path is None:
            hint = meant(value, available(folders), "the name of a file in tariffs/ beside this one")
            raise wrong(f"is {shown(value)}, and there is no such tariff", hint) from None
        raise wrong(f"cannot be used: {printable(str(error))}") from None


def priced(commodity: Commodity) -> PlainValidator:
    """Make the validator of the name of a commodity's tariff."""

    def check(value: Any, info: ValidationInfo[Context]) -> Tariff:
        tariff = tariff_of(value, info)
        if tariff.commodity != commodity:
            raise wrong(f"is {shown(value)}, which prices {tariff.commodity}", f"a tariff of {commodity}")
        return tariff

    return PlainValidator(check)


class TariffTable(Table):
    """What use costs; a commodity without a tariff is told in units only."""

    electricity: Annotated[Tariff, priced("electricity")] | None = option("The tariff of electricity.", None)
    water: Annotated[Tariff, priced("water")] | None = option("The tariff of water.", None)
    gas: Annotated[Tariff, priced("gas")] | None = option("The tariff of gas.", None)
    heat: Annotated[Tariff, priced("heat")] | None = option("The tariff of heat.", None)
    dwelling_units: Annotated[int, Field(ge=1, le=1000)] = option(
        "How many dwelling units the utility has registered for the meters; tiers grow with them.", 1
    )

    def fault(self, now: int) -> str:
        """Say which tariffs hold no more at `now` (UTC ms), for the operator; "" where all do."""
        from gateway.tariff.model import Plan  # noqa: PLC0415
        from gateway.tariff.periods import validity_of  # noqa: PLC0415

        held = [tariff for tariff in (self.electricity, self.water, self.gas, self.heat) if tariff is not None]
        over = [tariff for tariff in held if validity_of(Plan(tariff))[1] <= now]
        if not over:
            return ""
        names = ", ".join(f"{tariff.name} (until {tariff.valid_until})" for tariff in over)
        return f"out of date, so nothing is priced by them: {names}; load the tariffs that hold now"

    def plan(self, commodity: str, rating_a: float | None) -> "Plan | None":
        """Give what a commodity costs here, by its tariff and the main fuse in A; None where nobody said."""
        from gateway.tariff.model import Plan  # noqa: PLC0415

        tariffs: dict[str, Tariff | None] = {
            "electricity": self.electricity, "water": self.water, "gas": self.gas, "heat": self.heat
        }  # fmt: skip
        tariff = tariffs.get(commodity)
        breaker = None if rating_a is None else Decimal(str(rating_a))
        return None if tariff is None else Plan(tariff, self.dwelling_units, breaker)
