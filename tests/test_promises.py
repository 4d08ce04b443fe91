"""The page of promises: every proof it names exists, it hides nothing, and it is what its command makes."""

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import SUITES
from docs import promises
from docs.promises import BENCH, SOAK, Promise, Result

ROWS = {
    "D": range(1, 24), "W": range(1, 8), "T": range(1, 15), "V": range(1, 20), "E": range(1, 3), "M": range(1, 14),
    "F": range(1, 31), "Z": range(7, 9), "L": range(1, 9), "S": range(1, 44),
}  # fmt: skip
"""The rows of the acceptance plan that the page answers for."""
TEST = "tests/test_promises.py::test_a_missed_figure_is_told"
NAME = "test_a_missed_figure_is_told"


@pytest.fixture(scope="module")
def every() -> list[Promise]:
    """Give the promises as they stand."""
    return [promise for group in promises.read_promises().values() for promise in group]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the command's files into a folder, with one test and one figure to prove."""
    for name, kind in (("PROMISES", "toml"), ("RESULTS", "json"), ("PAGE", "md")):
        monkeypatch.setattr(promises, name, tmp_path / f"promises.{kind}")
    (tmp_path / "promises.toml").write_text(
        f'[[group]]\ntitle = "G"\n[[group.promise]]\ntext = "Both."\nproofs = ["{TEST}", "{BENCH}wear"]\n',
        encoding="utf-8",
    )
    return tmp_path


def test_the_page_is_what_the_command_makes() -> None:
    """Who changes a promise, a proof or a result makes the page anew."""
    made = promises.page(promises.read_promises(), promises.read_results())
    assert promises.PAGE.read_text(encoding="utf-8") == made, "./run promises --collect"


def test_every_proof_exists(every: list[Promise]) -> None:
    """A test that was renamed, or a suite that went, is no proof."""
    for proof in (proof for promise in every for proof in promise.proofs):
        file, _, name = proof.partition("::")
        if name:
            assert name in promises.tests_of(file), proof
        else:
            assert proof == SOAK or proof.removeprefix(BENCH) in SUITES, proof


def test_no_row_of_the_plan_is_passed_over(every: list[Promise]) -> None:
    """Each row stands on the page once, and one without a proof says why."""
    named = [row for promise in every for row in promise.ids.split()]
    assert sorted(named) == sorted(f"{kind}{number}" for kind, numbers in ROWS.items() for number in numbers)
    assert [promise.text for promise in every if not (promise.proofs or promise.lacks)] == []


def test_results_belong_to_proofs(every: list[Promise]) -> None:
    """Nothing is kept of a proof that nobody names any more."""
    assert set(promises.read_results()) <= {proof for promise in every for proof in promise.proofs}


def test_slow_tests_are_told_by_their_marks() -> None:
    """By the test's own, or the file's."""
    assert promises.is_slow("tests/power/test_cuts.py::test_two_hundred_power_cuts")
    assert not promises.is_slow("tests/power/test_cuts.py::test_power_cuts_lose_nothing_committed")
    assert promises.is_slow("tests/journeys/test_units.py::test_it_can_be_reloaded")
    assert promises.is_slow(f"{BENCH}wear")


@pytest.mark.parametrize(
    ("states", "lacks", "standing", "told"),
    [
        (("passed", "passed"), "", "1 proven,", ""),
        (("passed", "passed"), "the rest", "1 proven in part", "- Both: the rest."),
        (("passed", "failed"), "", "1 missed", "- Both: `./run bench wear` failed."),
        (("passed", ""), "", "1 not yet run", "- Both: `./run bench wear` not run yet."),
        (("skipped", "passed"), "", "1 not yet run", f"- Both: `{NAME}` skipped."),
    ],
)
def test_a_promise_stands_as_its_worst_proof(states: tuple[str, str], lacks: str, standing: str, told: str) -> None:
    """Whatever is missed, skipped, lacking or not run is counted and listed; what is proven is not."""
    proofs = (TEST, f"{BENCH}wear")
    results = {proof: Result("2026-01-01", state) for proof, state in zip(proofs, states, strict=True) if state}
    made = promises.page({"G": [Promise("Both.", proofs, lacks)]}, results)
    assert standing in made
    assert made.partition("## Not reached, not tested\n\n")[2] == (f"{told}\n" if told else "")


def test_a_promise_without_proof_is_open() -> None:
    """It stands there with its reason."""
    made = promises.page({"G": [Promise("All.", lacks="not built", ids="F5")]}, {})
    assert "1 open" in made
    assert made.endswith("- All (F5): not built.\n")


def test_a_missed_figure_is_told(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of two figures missed its target: page, file and exit code say so; a later good run replaces it."""
    from benchmarks.rig import Figure

    figures = [Figure("a day", "160 MB", "<= 150 MB", reached=False), Figure("  idle", "1 MB", "<= 5 MB", reached=True)]
    monkeypatch.setitem(SUITES, "wear", (lambda: figures, lambda: figures[1:]))
    assert promises.main(["wear"], "2026-01-01") == 1
    page = (elsewhere / "promises.md").read_text(encoding="utf-8")
    assert "**missed** a day: 160 MB (target <= 150 MB)<br>idle: 1 MB (target <= 5 MB)" in page
    assert json.loads((elsewhere / "promises.json").read_text())[f"{BENCH}wear"]["state"] == "failed"
    assert promises.main(["--short", "wear"], "2026-01-02") == 0
    page = (elsewhere / "promises.md").read_text(encoding="utf-8")
    assert "passed 2026-01-02, short run" in page
    assert "160 MB" not in page


@pytest.mark.usefixtures("elsewhere")
def test_what_was_not_measured_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A suite that could not measure, or gave no figure at all, has not passed."""
    from benchmarks.rig import Figure

    for figures in ([], [Figure("a day", "not measured: not root", "<= 150 MB", reached=True)]):
        monkeypatch.setitem(SUITES, "wear", (lambda figures=figures: figures, list))  # type: ignore[misc]
        assert promises.run_figures(f"{BENCH}wear", "2026-01-01", short=False).state == "skipped"


def test_a_suite_that_breaks_has_failed(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its error is kept, and the others would still run."""

    def broken() -> list[object]:
        raise RuntimeError("edge did not start")

    monkeypatch.setitem(SUITES, "wear", (broken, broken))
    assert promises.main(["wear"], "2026-01-01") == 1
    assert "RuntimeError('edge did not start')" in (elsewhere / "promises.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("body", "state", "figures"),
    [
        ("assert True", "passed", ("2 cases",)),
        ("assert number", "failed", ()),
        ("pytest.skip('no disk')", "skipped", ("skipped: no disk",)),
    ],
)
def test_cases_of_a_test_are_counted(tmp_path: Path, body: str, state: str, figures: tuple[str, ...]) -> None:
    """All cases that passed, one that failed, or none that ran."""
    part = tmp_path / "part"
    part.mkdir()
    (part / "conftest.py").touch()  # then pytest sets plugins of one folder apart from all others
    text = f"import pytest\n@pytest.mark.parametrize('number', [0, 1])\ndef test_it(number):\n    {body}\n"
    (part / f"test_{state}.py").write_text(text, encoding="utf-8")
    (tmp_path / "test_other.py").write_text("def test_other():\n    pass\n", encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n", encoding="utf-8")
    recorder = promises.Recorder()
    calm = ("-p", "no:cacheprovider", "-p", "no:asyncio")
    pytest.main(["--quiet", *calm, "--rootdir", str(tmp_path), str(tmp_path)], plugins=[recorder])
    assert recorder.ended["test_other.py::test_other"] == {"passed": 1}
    assert recorder.result(f"part/test_{state}.py::test_it", "2026-01-01") == Result("2026-01-01", state, figures)


def test_what_gave_no_result_has_failed() -> None:
    """A proof that was asked for and said nothing is none."""
    assert promises.Recorder().result(TEST, "2026-01-01").state == "failed"
