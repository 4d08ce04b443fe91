"""The journal: the edge's one durable truth. What is committed is safe, every loss is a ledger row."""

from gateway.journal.commit import PATIENCE
from gateway.journal.errors import Damaged, InUse, JournalError, Unwritable
from gateway.journal.journal import Journal
from gateway.journal.stats import JournalStats

__all__ = ["PATIENCE", "Damaged", "InUse", "Journal", "JournalError", "JournalStats", "Unwritable"]
