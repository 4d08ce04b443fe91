"""The page of the checks names every word, rule and threshold as the code has them."""

import re
from pathlib import Path
from typing import get_args

from gateway.check import Flag, gauges, rules
from gateway.check.register import CONFIRMATIONS, LATE_LIMIT, MARGIN

PAGE = (Path(__file__).parents[3] / "docs/reference/checks.md").read_text(encoding="utf-8")


def row(rule: str) -> str:
    """Give a rule's line of the table."""
    (line,) = re.findall(rf"^\| {rule} \|.*$", PAGE, re.MULTILINE)
    return str(line)


def test_every_word_stands_in_one_line() -> None:
    """Nineteen rules, eighteen words: what a meter says of itself has its own."""
    words = [word for n in range(1, 20) for word in re.findall(r"`(\w+)`", row(f"V{n}").split("|")[2])]
    assert sorted(words) == sorted(get_args(Flag))


def test_thresholds_are_those_of_the_code() -> None:
    """Who changes one changes the page."""
    day = 86_400_000
    said = {
        "V3": {"ten in a row": LATE_LIMIT == 10},
        "V7": {"three next readings": CONFIRMATIONS == 3},
        "V8": {"180 %": rules.SPIKE == 1.8, "500 Wh": rules.SPIKE_LEAST_WH == 500},
        "V9": {"1.1 times": MARGIN == 1.1},
        "V10": {"half and twice": (rules.LOW, rules.HIGH) == (0.5, 2), "two of the three": rules.WEEKS_LEAST == 2},
        "V11": {"0.1 %": rules.SUM_SHARE == 0.001, "two digits": rules.SUM_STEPS == 2},
        "V12": {"24 h": rules.STILL_MS["energy_import_wh"] == day, "7 days": rules.STILL_MS["gas_volume_l"] == 7 * day},
        "V13": {"thirty polls": gauges.REPEATS == 30, "50 W": gauges.MOVING_W == 50},
        "V16": {"2 %": gauges.SUM_SHARE == 0.02, "184 to 276 V": (gauges.LOW_V, gauges.HIGH_V) == (184, 276)},
        "V18": {"0.1 l": rules.FLOWING_L == 0.1, "24 h": day == rules.FLOWING_MS},
        "V19": {"30 days": 30 * day == rules.ESTIMATED_MS},
    }
    wrong = [(rule, text) for rule in said for text, same in said[rule].items() if text not in row(rule) or not same]
    assert wrong == []
