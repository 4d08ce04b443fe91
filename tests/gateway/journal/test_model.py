"""The journal against a model of it: any order of adding, committing, acknowledging, evicting and crashing."""

from typing import Any

import pytest

from tests.support.journal_model import judge


def test_model(make_bench: Any, names: Any) -> None:
    """No order of events loses a committed reading silently, uses a number twice or changes a block."""
    judge(make_bench, names, examples=8, steps=15)


@pytest.mark.slow
def test_model_at_length(make_bench: Any, names: Any) -> None:
    """Z7: the same, two thousand orders of fifty events."""
    judge(make_bench, names, examples=2000, steps=50)
