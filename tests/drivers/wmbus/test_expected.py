"""Captured telegrams against the values that wmbusmeters gives for them; tests/support/wireless_values.py compares."""

from pathlib import Path

import pytest

from tests.support.wireless_values import tally


def test_plain_telegrams_give_every_value(captures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At least 98 % of the telegrams made of plain records give every value; the others are counted by kind."""
    told = tally(captures)
    with capsys.disabled():
        print(f"\n  wireless M-Bus, {told.kinds.total()} telegrams, {told.values} values compared")  # noqa: T201  the figures are the point
        for kind, count in told.kinds.most_common():
            print(f"  {kind:36} {count:4} telegrams, {told.whole[kind]:4} with every value")  # noqa: T201
    assert told.whole["plain"] >= 0.98 * told.kinds["plain"], told.wrong
