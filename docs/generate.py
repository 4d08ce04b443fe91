# ruff: noqa: INP001  a tool of the documentation, not a package
"""Writes the generated pages of docs/reference: `./run docs`.

    python docs/generate.py            # write them
    python docs/generate.py --check    # 1 when a page is not what this makes
    python docs/generate.py --record   # play the installer's first hour, and write what it said (recorded.py)

1. `modbus.md` comes from the shipped profiles and the table of faults below.
2. `supported-meters.md` comes from the profiles and `models.toml` (supported.py).
3. `alerts.md` comes from the rules, their tables and `alert_examples.toml` (alerts.py).
4. `quantities.md` and `asyncapi.json` come from the list of quantities and the models of what travels (wire.py).
5. `cli.md` comes from the parsers of the command (commands.py).
6. `captures.md` comes from recordings of real meters (captures.py), where those are.

The pages are never edited by hand; a test runs the check, and looks up each test that they name.
"""

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import alerts  # noqa: E402  beside this file
import captures  # noqa: E402  beside this file
import commands  # noqa: E402  beside this file
import recorded  # noqa: E402  beside this file
import supported  # noqa: E402  beside this file
import wire  # noqa: E402  beside this file

from drivers.profiles import available, load_file  # noqa: E402  the checkout beside this file

PAGE = ROOT / "docs/reference/modbus.md"
TESTS = "tests/drivers/modbus/test_rtu.py"


@dataclass(frozen=True)
class Fault:
    """What goes wrong on a line, what five libraries make of it, what Nabd does, and the test that proves it."""

    case: str
    others: tuple[str, str, str, str, str]
    ours: str
    test: str


LIBRARIES = ("pymodbus 3.16 async", "pymodbus 3.16 sync", "amodbus 0.1", "modbuslink 1.5", "minimalmodbus 2.1")

WRONG = "**wrong value**"

FAULTS = (
    Fault(
        "pause between an answer and the next request (3.65 ms are due at 9600 8N1)",
        ("0.006 ms", "5.1 ms", "0.007 ms", "0.1 ms", "3.70 ms"), "3.65 ms or more",
        "test_silence_before_each_request",
    ),
    Fault(
        "late answer, no retry, then another register is read",
        (WRONG,) * 5, "error, then right", "test_late_answer_then_other_address",
    ),
    Fault(
        "late answers to three tries, then another register",
        (WRONG, "right", "right", WRONG, WRONG), "right", "test_late_answers_with_retries_then_other_address",
    ),
    Fault(
        "a meter that is always slower than the deadline",
        (WRONG,) * 5, "error", "test_slave_always_slower_than_its_deadline",
    ),
    Fault(
        "an answer with 9 of 10 registers",
        ("**accepted, 9 values**", "**accepted**", "**accepted**", "error", "error"), "error",
        "test_nine_of_ten_registers",
    ),
    Fault(
        "one wrong CRC",
        ("right after the deadline", "right after the deadline", "right", "error", "error"),
        "error at once, then right", "test_one_broken_answer",
    ),
    Fault(
        "noise `00 FF 00` before the answer",
        ("timeout", "timeout", "right", "error", "error"), "right", "test_noise_before_the_answer",
    ),
    Fault(
        "noise `00 03 FF` before the answer",
        ("timeout", "timeout", "timeout", "timeout", "error"), "right", "test_noise_before_the_answer",
    ),
    Fault(
        "another unit's frame before the answer",
        ("timeout", "timeout", "timeout", "error", "error"), "right", "test_another_units_frame_before_ours",
    ),
    Fault(
        "a local echo of the request",
        ("timeout", "timeout", "**nothing, as a success**", "error", "error"), "right", "test_local_echo",
    ),
    Fault(
        "an exception answer",
        ("at once", "at once", "at once", "at once", "after the deadline"), "at once", "test_exception_at_once",
    ),
    Fault(
        "the same port opened twice",
        ("refused", "refused", "refused", "**allowed**", "**allowed**"), "refused", "test_port_opened_twice",
    ),
)  # fmt: skip

HEAD = """# Modbus: meters and faults

<!-- made by `./run docs`: change the profiles, or docs/generate.py, never this page -->

## Meter models

Each is one file in `config/meters`: `nabd profiles show NAME` lists its registers.
A model with one source is shown as unconfirmed: compare its first values with the meter's display.
What sources disagree about is left out, and the file says so.
`nabd meter set-address` works on models marked with a pen (✎), which are those whose source tells how.
A model marked with an eye (◉) says which it is, and `nabd read` warns when that is another one.

"""

BETWEEN = """
## What a line does to an answer

The libraries were measured on a pair of pseudo terminals at 9600 baud, with a deadline of 300 ms.
Our column is what the test beside it proves each day; the tests stand in `{tests}`.

"""


def page() -> str:
    """Make the whole page."""
    return HEAD + _models() + BETWEEN.format(tests=TESTS) + _faults()


def _models() -> str:
    lines = ["| Profile | Meter | Quantities | Evidence | Source |", "|---|---|---|---|---|"]
    for name, path in available().items():
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        if table["driver"] == "modbus":
            profile = load_file(path)
            marks = "".join(mark for key, mark in (("address", " ✎"), ("identify", " ◉")) if key in table)
            evidence = "two sources" if profile.evidence == "two-sources" else "one source"
            cells = (f"`{name}`", profile.title + marks, str(len(profile.quantities)), evidence, table["source"])
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _faults() -> str:
    lines = [f"| What happens | {' | '.join(LIBRARIES)} | Nabd | Test |", "|---" * (len(LIBRARIES) + 3) + "|"]
    lines += [f"| {row.case} | {' | '.join(row.others)} | {row.ours} | `{row.test}` |" for row in FAULTS]
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Make every page that can be made here."""
    made = {PAGE: page(), supported.PAGE: supported.page(), alerts.PAGE: alerts.page()}
    made |= {wire.PAGE: wire.page(), wire.DOCUMENT: wire.document(), commands.PAGE: commands.page()}
    recordings = captures.folder()
    return made | {captures.PAGE: captures.page(recordings)} if recordings else made


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them, or record."""
    if arguments == ["--record"]:
        recorded.record()
        return 0
    stale = {path: text for path, text in pages().items() if not path.is_file() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        if arguments == ["--check"]:
            sys.stderr.write(f"{path.relative_to(ROOT)} is not what docs/generate.py makes: ./run docs\n")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if stale and arguments == ["--check"] else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
