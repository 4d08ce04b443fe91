# ruff: noqa: INP001  a tool of the documentation, not a package
"""The page "Alerts": every rule, what it watches, where, with which options, what hides it, and what customers read.

1. A rule is a row of the catalogue; its plan is its module's docstring, what it judges its class's.
2. Options and their sentences are those of its table in the configuration.
3. The words are made from `alert_examples.toml` by the code that makes every message.
"""

import inspect
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.alerts.catalogue import Entry
from gateway.alerts.event import AlertEvent
from gateway.alerts.hub_catalogue import ENTRIES
from gateway.alerts.shade import HIDES, LINGERS, SETTLES_MS
from gateway.config.alerts import AlertsTable, CalendarTable
from gateway.config.spell import spell_seconds
from gateway.config.table import Table
from gateway.notify.costs import Priced
from gateway.notify.render import Occasion, render
from gateway.notify.speech import ISOLATE, POP

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/reference/alerts.md"
EXAMPLES = ROOT / "docs/alert_examples.toml"

NOW = datetime(2026, 11, 22, 18, 30, tzinfo=ZoneInfo("Asia/Riyadh"))
NAMES = {"en": "Home", "ar": "المنزل"}
EMERGENCY = "998"
NOT_EVENT = ("severity", "evidence", "priced")
FAMILIES = {"E": "Electricity", "W": "Water", "G": "Gas", "X": "Any meter"}

HEAD = """# Alerts

<!-- made by `./run docs`: change the rules, their tables or docs/alerts.py, never this page -->

Each rule below runs with defaults that need no touching.
To change one, write its table into the configuration, such as `[alerts.water_leak]`; `nabd check FILE` proves it.
`nabd alerts shadow -c FILE` says what a changed configuration would have told of the stored past, and sends nothing.
`nabd alerts explain EVENT` shows the figures of one alert and computes it once more.

## How all of them work

- An alert is raised once, updated when it grows worse or doubles, and closed when it is over.
- One is open per meter and rule.
- A gap in the data is unknown, never zero; estimates and doubtful readings raise nothing.
- While a meter is silent it raises nothing but what explains its silence, and after a day of silence its alerts expire.
- What explains an alert hides it. One that is over by then is never told; one that is still true some time after is.
- Rules of what is usual learn for two weeks first; until then only fixed limits speak.
- What a customer answers moves the threshold of a rule of habit, and never that of a rule of safety.
- Rules at the edge need no network; those at the hub look at whole days and bills.
- Meters without what a rule needs are not watched by it, and cost nothing.

## The calendar

`[alerts.calendar]` says when people rest here.

"""


def page() -> str:
    """Make the whole page."""
    examples = tomllib.loads(EXAMPLES.read_text(encoding="utf-8"))
    lines = [HEAD + "\n".join(_options(CalendarTable)), "", "## All rules", "", *_index()]
    told: set[str] = set()
    for letter, family in FAMILIES.items():
        lines += ["", f"## {family}"]
        for entry in (entry for entry in ENTRIES if entry.code[0] == letter):
            lines += ["", f"### {entry.code} {entry.rule.name}", "", *_rule(entry, examples, told)]
    return "\n".join(lines) + "\n"


def _index() -> Iterator[str]:
    yield "| Number | Rule | What it watches | Where | Severity |"
    yield "|---|---|---|---|---|"
    for entry in ENTRIES:
        anchor = f"{entry.code}-{entry.rule.name}".lower()
        title = AlertsTable.model_fields[entry.rule.name].description or ""
        severity = ", ".join(severities(entry))
        yield f"| {entry.code} | [{entry.rule.name}](#{anchor}) | {title.rstrip('.')} | {entry.place} | {severity} |"


def _rule(entry: Entry, examples: dict[str, Any], told: set[str]) -> Iterator[str]:
    rule, table = entry.rule, table_of(entry.rule.name)
    yield from _prose(table.__doc__ or "")
    yield ""
    module = inspect.getmodule(rule)
    if module is not None and module.__name__ not in told:
        told.add(module.__name__)
        yield from _prose(inspect.getdoc(module) or "")
        yield ""
    yield from _prose(inspect.getdoc(rule) or "")
    yield ""
    yield f"- Runs at the {entry.place}; severity {', '.join(severities(entry))}."
    needs = ", ".join(dict.fromkeys(_keys(rule))) or "any reading"
    yield f"- Needs {needs}{' and a tariff' if entry.priced else ''}."
    yield f"- {_pause(rule, table)}"
    yield from _hidden(rule.name)
    yield ""
    yield from _options(table)
    if rule.name in examples:
        yield ""
        yield from _said(rule.name, examples[rule.name])


def table_of(rule: str) -> type[Table]:
    """Give the table of a rule's options."""
    return type(getattr(AlertsTable(), rule))


def severities(entry: Entry) -> list[str]:
    """Find the severities a rule's source names, the worst first."""
    source = "".join(inspect.getsource(base) for base in entry.rule.__mro__ if base.__module__.startswith("gateway"))
    return [name for name in ("critical", "warning", "info") if f'"{name}"' in source]


def _keys(rule: type[Any]) -> Iterator[str]:
    """Name the values a rule judges; where they follow from a tariff, that is the commodity's main register."""
    for name in ("reading_keys", "keys", "hour_keys"):
        keys = getattr(rule, name, ())
        yield from ["the main register"] if isinstance(keys, property) else (f"`{key}`" for key in keys)
    if hasattr(rule, "flags"):
        yield "the meter's flags"


def _pause(rule: type[Any], table: type[Table]) -> str:
    if "cooldown" in table.model_fields:
        pause = table.model_fields["cooldown"].default
        return f"After its end only something worse is told for {pause} (`cooldown`)."
    seconds = getattr(rule, "cooldown", 0.0)
    return (
        f"After its end it waits {spell_seconds(seconds)}."
        if seconds
        else "After its end it may be told again at once."
    )


def _hidden(rule: str) -> Iterator[str]:
    by = [name for name, hidden in HIDES.items() if rule in hidden]
    if by:
        after = spell_seconds(LINGERS.get(rule, SETTLES_MS) / 1000)
        names = ", ".join(f"`{name}`" for name in by)
        yield f"- Not raised while one of these is open at the same meter, nor for {after} after its end: {names}."
    if rule in HIDES:
        yield f"- While it is open these are not raised: {', '.join(f'`{name}`' for name in sorted(HIDES[rule]))}."


def _options(table: type[Table]) -> Iterator[str]:
    yield "| Option | Default | What it says |"
    yield "|---|---|---|"
    for name, field in table.model_fields.items():
        yield f"| `{name}` | {written(field.default)} | {field.description} |"


def written(default: object) -> str:
    """Write a default as the configuration does."""
    if default is None:
        return "none"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple):
        return f"`{list(default)}`"
    return f'`"{default}"`' if isinstance(default, str) else f"`{default}`"


def _said(rule: str, example: dict[str, Any]) -> Iterator[str]:
    money: dict[str, Any] = {
        key: Decimal(str(value)) if isinstance(value, float) else value
        for key, value in example.get("priced", {}).items()
    }
    priced = Priced(**money) if money else None
    for language, name in NAMES.items():
        message = render(Occasion(event_of(rule, example), name, language, NOW, emergency=EMERGENCY, priced=priced))
        title, text = (part.replace(ISOLATE, "").replace(POP, "") for part in (message.title, message.text))
        direction = "rtl" if language == "ar" else "ltr"
        yield f'<p lang="{language}" dir="{direction}"><b>{title}</b><br>{text}</p>'
        yield ""


def event_of(rule: str, example: dict[str, Any]) -> AlertEvent:
    """Make the event of an example."""
    now = round(NOW.timestamp() * 1000)
    evidence = {
        key: now - value * 60_000 if key.endswith("_ms") else value for key, value in example["evidence"].items()
    }
    event = AlertEvent(
        id="0" * 16, seq=1, rule=rule, meter="home", state="raised", severity=example["severity"], raised=now, at=now,
        evidence=evidence,
    )  # fmt: skip
    return replace(event, **{name: value for name, value in example.items() if name not in NOT_EVENT})


def _prose(text: str) -> Iterable[str]:
    """Write a docstring as the pages are written: one sentence a line, numbered points kept."""
    blocks = re.split(r"\n\s*\n|\n(?=\d+\. )", inspect.cleandoc(text))
    for number, block in enumerate(blocks):
        line = " ".join(block.split())
        point = re.match(r"\d+\. ", line)
        indent = " " * len(point[0]) if point else ""
        if number and not point:
            yield ""
        # A list needs an empty line before its first point.
        if point and number and not re.match(r"\d+\. ", blocks[number - 1]):
            yield ""
        yield from re.sub(r"(?<=[a-z)`])\. (?=[A-Z])", f".\n{indent}", line).split("\n")
