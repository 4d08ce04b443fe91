"""The utility's "VEE": validation, estimation, editing. docs/reference/checks.md lists every rule.

1. `Checker` judges each reading as it comes, at the edge: registers become intervals (register.py).
2. `judge_day` judges a meter's day at the hub, once it is over: quarter-hours, gauges, relations (day.py).
3. Neither changes a reading. What they say are bits, intervals, remarks, and sheets of a day in versions.
"""

from gateway.check.checker import Checker
from gateway.check.limits import Limits
from gateway.check.register import CONFIRMATIONS, LATE_LIMIT
from gateway.check.words import Flag, Interval, Quality, Remark

__all__ = ["CONFIRMATIONS", "LATE_LIMIT", "Checker", "Flag", "Interval", "Limits", "Quality", "Remark"]
