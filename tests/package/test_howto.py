"""docs/how-to/install-on-a-raspberry-pi.md, followed to the letter on a fresh Debian, until a meter is read."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.setup.questions import QUESTIONS
from tests.support.booted import Booted, copy, host_architecture, meter_beside, root

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/install-on-a-raspberry-pi.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def _answers(transcript: str) -> str:
    """Take from the page what a reader types: what stands behind a question's words and its usual answer."""
    typed = []
    for line in transcript.splitlines():
        question = next(question for question in QUESTIONS if line.startswith(question.words))
        typed.append(re.sub(r"^\s*(\[.*?\])?\s*", "", line.removeprefix(question.words)))
    return "\n".join(typed) + "\n"


def test_the_page_shows_the_questions_as_they_are_asked() -> None:
    """Every line of the page's dialogue begins with a question that setup asks of a house, in this order."""
    (transcript,) = [text for kind, text in BLOCKS if kind == "console"]
    assert _answers(transcript).splitlines() == ["", "", "Asia/Riyadh", "", "", "network", "", "", "192.168.1.20"]
    shown = [next(q.name for q in QUESTIONS if line.startswith(q.words)) for line in transcript.splitlines()]
    given: dict[str, str] = {"kind": "home"}
    assert shown == [question.name for question in QUESTIONS if question.needs(given)]


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_the_page_leads_from_the_package_to_a_read_meter(
    suite: str, tmp_path: Path, whole_package: Callable[[str, str], Path]
) -> None:
    """Each command of the page, in its order and nothing else, ends well; the meter's values are read and stored."""
    package = whole_package(host_architecture(), "1.0")
    said: dict[str, str] = {}
    typed = [_answers(text) for kind, text in BLOCKS if kind == "console"]
    with copy(root(suite)) as place, Booted(place) as machine, meter_beside(machine, tmp_path):
        machine.put(package)
        for kind, text in BLOCKS:
            if kind != "sh":
                continue
            told = typed[0] if "nabd setup" in text else ""
            said[text.strip()] = machine.sh(f"cd /root\n{text}", told=told, timeout=300)
            if "web link" in text:
                seen = machine.sh("nabd status --json")
    reading = next(words for command, words in said.items() if "nabd read" in command)
    assert "energy_import" in reading
    assert "http://" in said["sudo -u nabd nabd web link"]
    assert json.loads(seen)["read"] > 0
    last = said["sudo apt remove --yes nabd\nsudo apt purge --yes nabd"]
    assert "removed /etc/nabd" in last
    assert "rm -r /var/lib/nabd" in last
