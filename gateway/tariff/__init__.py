"""What use costs: tariffs as files, bills to date, the next unit's price, projections, and advice on other tariffs.

1. `file.py` reads a tariff (TOML) into the frozen tables of `model.py`; a `Plan` is a tariff as one customer has it.
2. `state.py` sorts intervals into rates and tiers as they come; a `BillState` is all that is remembered of a period.
3. `bill.py` and `margin.py` turn a state into money, exact decimals throughout; what has no sure price is a `NoCost`.
4. `projection.py` says where a period will end, `advice.py` what other tariffs would have cost.
"""

from gateway.tariff.bill import Bill, Line, NoCost, bill
from gateway.tariff.errors import TariffError
from gateway.tariff.file import available, load, load_file
from gateway.tariff.model import Plan, Tariff, Words
from gateway.tariff.state import BillState, add, begin

__all__ = [
    "Bill", "BillState", "Line", "NoCost", "Plan", "Tariff", "TariffError", "Words", "add", "available", "begin",
    "bill", "load", "load_file",
]  # fmt: skip
