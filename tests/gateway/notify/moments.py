"""The moment at which the tests of messages take place: an evening in Riyadh."""

from datetime import datetime
from zoneinfo import ZoneInfo

NOW = datetime(2026, 11, 22, 18, 30, tzinfo=ZoneInfo("Asia/Riyadh"))
MS = int(NOW.timestamp() * 1000)
