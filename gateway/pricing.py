"""The tariffs in force: a reload changes them, so whoever prices asks here each time."""

from collections.abc import Callable

from gateway.config.tariff import TariffTable
from gateway.tariff.model import Plan


class Pricing:
    """What use costs by now; `now` gives UTC ms."""

    def __init__(self, table: TariffTable, now: Callable[[], int]) -> None:
        """Price by a configuration's table."""
        self._table, self._now = table, now

    def plan(self, commodity: str, rating_a: float | None) -> Plan | None:
        """Give what a commodity costs behind a main fuse; None without a tariff of it."""
        return self._table.plan(commodity, rating_a)

    def fault(self) -> str:
        """Say which tariffs hold no more; "" where all do."""
        return self._table.fault(self._now())

    def change(self, table: TariffTable) -> dict[str, int]:
        """Price by another table from now on; says how many options differ."""
        differing = sum(getattr(table, name) != getattr(self._table, name) for name in type(table).model_fields)
        self._table = table
        return {"tariffs": differing} if differing else {}
