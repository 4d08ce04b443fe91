"""The page of alerts names every rule with every option, its sentence and its default, and shows what people read."""

import re
import tomllib
from pathlib import Path

from gateway.alerts.hub_catalogue import ENTRIES
from gateway.alerts.shade import HIDES
from gateway.config.alerts import AlertsTable

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/reference/alerts.md").read_text(encoding="utf-8")
OPTION = re.compile(r"^\| `(\w+)` \| (?:`(.+)`|none) \| (.+) \|$", re.MULTILINE)


def section(rule: str) -> str:
    """Give what the page says of one rule."""
    found = re.search(rf"^### \w+ {rule}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, rule
    return found[1]


def test_every_option_of_a_rule_is_on_the_page_with_its_sentence_and_default() -> None:
    """The example files leave them out, so this is where they are found; a default is written as a file writes it."""
    for name in AlertsTable.model_fields:
        model = type(getattr(AlertsTable(), name))
        text = PAGE.partition("## The calendar")[2].partition("\n## ")[0] if name == "calendar" else section(name)
        shown = {option: (default, sentence) for option, default, sentence in OPTION.findall(text)}
        assert shown.keys() == model.model_fields.keys(), name
        for option, field in model.model_fields.items():
            default, sentence = shown[option]
            assert sentence == field.description
            value = tomllib.loads(f"x = {default}")["x"] if default else None
            assert (tuple(value) if isinstance(value, list) else value) == field.default, (name, option)


def test_every_rule_says_where_it_runs_and_what_hides_it() -> None:
    """As the catalogue and the engine have it."""
    for entry in ENTRIES:
        text = section(entry.rule.name)
        assert f"- Runs at the {entry.place}; severity " in text
        hidden = re.search(r"Not raised while .*: (.*)\.", text)
        by = {name for name, others in HIDES.items() if entry.rule.name in others}
        assert set(re.findall(r"`(\w+)`", hidden[1]) if hidden else []) == by


def test_every_rule_of_an_example_shows_both_languages() -> None:
    """And there is no example of a rule that is not there."""
    examples = tomllib.loads((ROOT / "docs/alert_examples.toml").read_text(encoding="utf-8"))
    assert examples.keys() <= {entry.rule.name for entry in ENTRIES}
    for rule in examples:
        assert len(re.findall(r'<p lang="(?:en|ar)" dir="(?:ltr|rtl)"><b>', section(rule))) == 2
