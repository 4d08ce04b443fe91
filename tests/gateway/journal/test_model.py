"""The journal against a model of it: any order of adding, committing, acknowledging, evicting and crashing."""

import os
from typing import Any

import pytest

from tests.support.journal_model import judge

ORDERS = int(os.environ.get("NABD_MODEL_ORDERS", "160"))
"""Orders of fifty events in the long form; a night's run says 2000, which takes an hour and a half."""


def test_model(make_bench: Any, names: Any) -> None:
    """No order of events loses a committed reading silently, uses a number twice or changes a block."""
    judge(make_bench, names, examples=8, steps=15)


@pytest.mark.slow
def test_model_at_length(make_bench: Any, names: Any) -> None:
    """Z7: the same, for as many orders as were asked for."""
    judge(make_bench, names, examples=ORDERS, steps=50)
