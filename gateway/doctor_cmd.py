"""`nabd doctor`: tells an installer at the meter what is wrong, the evidence, and what to do, in their language.

1. It works beside a running program, which it asks, and without one.
2. What is looked at goes to standard error as it happens; findings, or one JSON object, to standard output.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.config.customers import Document, HubConfig
from gateway.config.load import kind_of, load
from gateway.config.near import printable
from gateway.doctor.finding import Checked, Finding, Report
from gateway.doctor.texts import SKIPPED, TEXTS, WHATS, said
from gateway.doctor.visit import World, visit
from gateway.i18n import N_, words
from gateway.scan.adapters import adapters

Say = Callable[[str], None]

SEVERITIES = {"error": N_("error"), "warning": N_("warning")}


async def doctor(options: Any, path: Path | None, tell: Say, complain: Say, world: World | None = None) -> int:
    """Look at everything; 0 when nothing was found, 1 when something was. Raises ConfigError.

    `path` is the configuration that is meant, None where there is none.
    """
    config = load(path, kind_of(path)) if path else None
    language = options.language or _language(config)
    progress = _Progress(complain, language)
    try:
        report = await visit(config, world or _world(options.dev), progress, file=path)
    finally:
        progress.end()
    if options.json:
        tell(json.dumps(as_json(report, language), ensure_ascii=False))
    else:
        for line in lines(report, language):
            tell(line)
    return 1 if report.findings else 0


def _world(dev: Path) -> World:
    return World(ports=lambda: [one.name for one in adapters(dev.absolute())])


def as_json(report: Report, language: str) -> dict[str, Any]:
    """Give a report for programs."""
    return {
        "findings": [_finding_json(finding, language) for finding in report.findings],
        "checked": [{"what": one.what, "where": one.where, "skipped": one.skipped} for one in report.checked],
    }


def lines(report: Report, language: str) -> list[str]:
    """Give a report for people: the findings, the gravest first, then what was looked at."""
    say = words(language).gettext
    told: list[str] = []
    for finding in sorted(report.findings, key=lambda one: TEXTS[one.code].severity != "error"):
        text, advice = said(finding, language)
        severity = say(SEVERITIES[TEXTS[finding.code].severity])
        told += [f"{severity} ({finding.code}): {text}", f"  → {advice}", ""]
    if not report.findings:
        told += [say(N_("Nothing is wrong with what could be checked.")), ""]
    told.append(say(N_("Checked:")))
    told += [f"  {_named(one, language)}" for one in report.checked if not one.skipped]
    skipped = [one for one in report.checked if one.skipped]
    if skipped:
        told.append(say(N_("Not checked:")))
        told += [f"  {_named(one, language)}: {say(SKIPPED[one.skipped])}" for one in skipped]
    return told


def _finding_json(finding: Finding, language: str) -> dict[str, Any]:
    text, advice = said(finding, language)
    return {
        "code": finding.code, "severity": TEXTS[finding.code].severity, "where": finding.where,
        "evidence": dict(finding.evidence), "text": text, "advice": advice,
    }  # fmt: skip


def _named(one: Checked, language: str) -> str:
    return " ".join(filter(None, (words(language).gettext(WHATS[one.what]), printable(one.where))))


def _language(config: Document | None) -> str:
    if config is None:
        return "en"
    return config.hub.language if isinstance(config, HubConfig) else config.gateway.language


class _Progress:
    """One line that changes on a terminal; elsewhere a line for each thing that is looked at."""

    def __init__(self, complain: Say, language: str) -> None:
        self._complain, self._language = complain, language
        self._terminal = sys.stderr.isatty()
        self._last = ""

    def __call__(self, what: str, where: str) -> None:
        line = _named(Checked(what, where), self._language)
        if line == self._last:
            return
        self._last = line
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{line} …")
            sys.stderr.flush()
        else:
            self._complain(f"{line} …")

    def end(self) -> None:
        """Leave the terminal's line as it was."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
