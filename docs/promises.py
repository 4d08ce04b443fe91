# ruff: noqa: INP001  a tool of the documentation, not a package
"""Runs what proves the promises and writes docs/promises.md: `./run promises`.

1. `promises.toml` says what is promised, by which proofs, and what is lacking. A proof is a test, a suite of
   `./run bench`, or `./run soak`.
2. `run_tests` and `run_figures` run proofs. What each said last is kept in `promises.json`, with its date.
3. `page` makes the page of both, and of nothing else: it can be made again anywhere, which a test does.
"""

import argparse
import ast
import asyncio
import datetime as dt
import json
import os
import platform
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parent.parent
PROMISES, RESULTS, PAGE = (ROOT / f"docs/promises.{kind}" for kind in ("toml", "json", "md"))
BENCH, SOAK = "./run bench ", "./run soak"
SOAK_SECONDS, SHORT_SOAK_SECONDS = 7200.0, 600.0
BROKEN_OFF = (2, 3, 4)
"""Exit codes of pytest after which tests that should have run did not: interrupted, its own error, wrong names."""

HEAD = """# The promises and their proofs

<!-- made by `./run promises`: change docs/promises.toml, never this page -->

Each promise stands beside the tests and figures that prove it, with what they said when they last ran.
`./run test --all -k NAME` runs one of the tests, `./run bench NAME` and `./run soak` are typed as they stand here.
`./run promises` runs all of them and writes this page, with `--fast` those of every commit, with `--collect` none.
Where "every commit" stands, `./run test` runs the proof; where "`--all`" stands, `./run test --all` does.

"""


@dataclass(frozen=True)
class Promise:
    """One sentence, its proofs as they are typed, what is lacking, and the ids of the acceptance plan."""

    text: str
    proofs: tuple[str, ...] = ()
    lacks: str = ""
    ids: str = ""


@dataclass(frozen=True)
class Result:
    """What a proof said on a day (ISO): `state` is passed, failed or skipped; `short` when it ran shorter than due."""

    date: str
    state: str
    figures: tuple[str, ...] = ()
    machine: str = ""
    short: bool = False


def read_promises() -> dict[str, list[Promise]]:
    """Give the promises of each group, in the order of the file."""
    groups = tomllib.loads(PROMISES.read_text(encoding="utf-8"))["group"]
    return {
        group["title"]: [Promise(**row | {"proofs": tuple(row.get("proofs", ()))}) for row in group["promise"]]
        for group in groups
    }


def read_results() -> dict[str, Result]:
    """Give what each proof said last."""
    if not RESULTS.exists():
        return {}
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {proof: Result(**row | {"figures": tuple(row.get("figures", ()))}) for proof, row in kept.items()}


def keep(results: dict[str, Result]) -> None:
    """Write down results, leaving out what says nothing."""
    rows = {proof: {key: value for key, value in asdict(result).items() if value} for proof, result in results.items()}
    RESULTS.write_text(json.dumps(rows, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


# --- proofs ----------------------------------------------------------------------------------------------------------


def is_test(proof: str) -> bool:
    """Tell a test from a figure."""
    return "::" in proof


@cache
def tests_of(file: str) -> dict[str, bool]:
    """Give the tests of a file, and whether each is slow: by a mark of its own or of the whole file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    marked = any("pytestmark" in (line := ast.unparse(node)) and "slow" in line for node in tree.body)
    return {
        node.name: marked or any(ast.unparse(mark) == "pytest.mark.slow" for mark in node.decorator_list)
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def is_slow(proof: str) -> bool:
    """Tell whether a proof is left out of the run at every commit."""
    file, _, name = proof.partition("::")
    return not is_test(proof) or tests_of(file)[name]


@dataclass(eq=False)
class Recorder:
    """A plugin of pytest that counts how the cases of each test ended."""

    ended: dict[str, Counter[str]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: "pytest.TestReport") -> None:
        """Take one phase of one case; only failures and skips count before and after the call."""
        name = report.nodeid.partition("[")[0]
        if report.when == "call" or report.outcome != "passed":
            self.ended.setdefault(name, Counter())[report.outcome] += 1
        if report.skipped and isinstance(report.longrepr, tuple):
            self.skipped[name] = report.longrepr[2].removeprefix("Skipped: ")

    def result(self, name: str, today: str) -> Result:
        """Give what is kept of a test: one failed case fails it, one passed case is enough beside skipped ones."""
        ended = self.ended.get(name, Counter())
        cases = ended["passed"]
        figures = [f"{cases} cases"] if cases > 1 else []
        if ended["skipped"]:
            figures.append(f"skipped: {self.skipped.get(name, '')}")
        state = "failed" if ended["failed"] or not ended else "passed" if cases else "skipped"
        return Result(today, state, tuple(figures))


def run_tests(proofs: Sequence[str], today: str, *, fast: bool) -> dict[str, Result]:
    """Run these tests in one pytest, as they stand in their files; `fast` leaves out their slow cases."""
    import pytest  # noqa: PLC0415  the page is made without it

    recorder = Recorder()
    named = sorted(proofs, key=_place)
    code = pytest.main(["-m", "not slow" if fast else "slow or not slow", "--quiet", *named], plugins=[recorder])
    if code in BROKEN_OFF:
        raise SystemExit(int(code))
    return {proof: recorder.result(proof, today) for proof in proofs}


def _place(proof: str) -> tuple[str, int]:
    """Say where a test stands, for tests of one file may build on one another."""
    path, name = proof.split("::")
    return path, (ROOT / path).read_text(encoding="utf-8").find(f"def {name}(")


def run_figures(proof: str, today: str, *, short: bool) -> Result:
    """Run a suite of figures, or the soak; a suite that breaks is one that failed."""
    from benchmarks.__main__ import SUITES  # noqa: PLC0415  the page is made without them
    from benchmarks.soak import soak  # noqa: PLC0415

    load = os.getloadavg()[0]  # of others, before it begins: beyond the cores it spoils what is measured in time
    machine = f"{os.cpu_count()} cores of {platform.machine()}, load {load:.1f}"
    try:
        if proof == SOAK:
            figures = asyncio.run(soak(SHORT_SOAK_SECONDS if short else SOAK_SECONDS))
        else:
            figures = SUITES[proof.removeprefix(BENCH)][1 if short else 0]()
    except Exception as error:  # noqa: BLE001  whatever it is, the others still run
        return Result(today, "failed", (repr(error)[:200],), machine, short)
    said = tuple(
        f"{'' if row.reached else '**missed** '}{row.name.strip()}: {row.measured} (target {row.target})"
        for row in figures
    )
    measured = bool(figures) and not any(row.measured.startswith("not measured") for row in figures)
    state = "failed" if not all(row.reached for row in figures) else "passed" if measured else "skipped"
    return Result(today, state, said, machine, short)


# --- the page --------------------------------------------------------------------------------------------------------


def page(groups: dict[str, list[Promise]], results: dict[str, Result]) -> str:
    """Make the whole page."""
    every = [promise for promises in groups.values() for promise in promises]
    parts = [HEAD, _summary(every, results)]
    for title, promises in groups.items():
        parts.append(f"## {title}\n\n| Promise | Proof | Runs | Last result | Row |\n|---|---|---|---|---|\n")
        parts += [line for promise in promises for line in _rows(promise, results)]
        parts.append("\n")
    return "".join([*parts, "## Not reached, not tested\n\n", *_open(every, results)])


def _summary(promises: Sequence[Promise], results: dict[str, Result]) -> str:
    count = Counter(_standing(promise, results) for promise in promises)
    words = ", ".join(f"{count[word]} {word}" for word in ("proven", "proven in part", "not yet run", "missed", "open"))
    return (
        f"Of {len(promises)} promises: {words}.\n"
        'What is missed, open or lacking is listed under "Not reached, not tested".\n\n'
    )


def _standing(promise: Promise, results: dict[str, Result]) -> str:
    """Say how a promise stands: by its worst proof."""
    states = [results[proof].state if proof in results else "" for proof in promise.proofs]
    if not states:
        return "open"
    if "failed" in states:
        return "missed"
    if not all(states) or "skipped" in states:
        return "not yet run"
    return "proven in part" if promise.lacks else "proven"


def _rows(promise: Promise, results: dict[str, Result]) -> Iterable[str]:
    """Give a line for each proof; promise and ids stand on the first."""
    cells = [(_named(proof), _where(proof), _said(results.get(proof))) for proof in promise.proofs]
    if promise.lacks:
        cells.append(("none" if not cells else "", "", f"*lacking: {promise.lacks}*"))
    text, ids = promise.text, promise.ids
    for proof, where, said in cells:
        yield f"| {text} | {proof} | {where} | {said} | {ids} |\n"
        text = ids = ""


def _named(proof: str) -> str:
    file, _, name = proof.partition("::")
    return f"[`{name}`](../{file})" if name else f"`{proof}`"


def _where(proof: str) -> str:
    if not is_test(proof):
        return "by itself"
    return "`--all`" if is_slow(proof) else "every commit"


def _said(result: Result | None) -> str:
    if result is None:
        return "not run yet"
    state = "**failed**" if result.state == "failed" else result.state
    short = "short run" if result.short else ""
    first = ", ".join(word for word in (f"{state} {result.date}", short, result.machine) if word)
    return "<br>".join([first, *result.figures]).replace("|", "\\|").replace("\n", " ")


def _open(promises: Sequence[Promise], results: dict[str, Result]) -> Iterable[str]:
    """Give a line for each promise of which something is not shown, and what that is."""
    for promise in promises:
        told = [
            f"`{proof.rpartition('::')[2]}` {state}"
            for proof in promise.proofs
            if (state := results[proof].state if proof in results else "not run yet") != "passed"
        ]
        if told := told + [promise.lacks] * bool(promise.lacks):
            row = f" ({promise.ids})" if promise.ids else ""
            yield f"- {promise.text.rstrip('.')}{row}: {'; '.join(told)}.\n"


def main(arguments: Sequence[str], today: str) -> int:
    """Run proofs, keep what they said, write the page; 1 when one that ran has failed."""
    parser = argparse.ArgumentParser(prog="./run promises")
    parser.add_argument("words", nargs="*", help="only proofs that contain one of these words (all)")
    parser.add_argument("--fast", action="store_true", help="only the tests of every commit")
    parser.add_argument("--collect", action="store_true", help="run nothing, only write the page anew")
    parser.add_argument("--short", action="store_true", help="shorter runs of figures and soak, marked as such")
    options = parser.parse_args(arguments)
    groups = read_promises()
    named = dict.fromkeys(proof for promises in groups.values() for row in promises for proof in row.proofs)
    wanted = [proof for proof in named if not options.words or any(word in proof for word in options.words)]
    if options.fast:
        wanted = [proof for proof in wanted if not is_slow(proof)]
    states = []
    for fresh in () if options.collect else _run(wanted, today, fast=options.fast, short=options.short):
        keep(read_results() | fresh)  # read anew: another run may have ended meanwhile
        states += [result.state for result in fresh.values()]
    results = {proof: result for proof, result in read_results().items() if proof in named}
    keep(results)
    PAGE.write_text(page(groups, results), encoding="utf-8")
    return 1 if "failed" in states else 0


def _run(proofs: Sequence[str], today: str, *, fast: bool, short: bool) -> Iterable[dict[str, Result]]:
    """Run the tests together and then each figure by itself, and give what each said as soon as it did."""
    if tests := [proof for proof in proofs if is_test(proof)]:
        yield run_tests(tests, today, fast=fast)
    for proof in proofs:
        if not is_test(proof):
            sys.stderr.write(f"{proof} …\n")
            yield {proof: run_figures(proof, today, short=short)}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], dt.datetime.now(tz=dt.UTC).date().isoformat()))
