"""No command reaches a write to a meter, for a gateway has none: what is sent to meters asks, and sets nothing.

tests/test_layers.py reads the imports of the one module that writes, which is for `nabd meter set-address`.
"""

import ast
import re
from pathlib import Path

import pytest

from drivers.contract import Bus
from drivers.modbus.driver import wire_of
from drivers.profiles import available, load

ROOT = Path(__file__).parents[3]
MODULES = sorted((ROOT / "drivers").rglob("*.py"))
WRITES = {5, 6, 15, 16, 22, 23}
"""Modbus functions that change coils or registers."""
READS = {3, 4}
WRITER = "drivers/modbus/write.py"


def constants(tree: ast.AST) -> set[int]:
    """Give the numbers that stand as first arguments of `Read`, and those with a name of their own."""
    found = [node.args[0] for node in ast.walk(tree) if _calls(node, "Read") and node.args]  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and "FUNCTION" in ast.unparse(node.targets[0]).upper():
            found += list(ast.walk(node.value))
    return {node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, int)}


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name


def callers(name: str) -> set[str]:
    """Name the drivers' modules that call `name`."""
    return {
        str(path.relative_to(ROOT))
        for path in MODULES
        if f"{name}(" in path.read_text(encoding="utf-8")
        and any(_calls(node, name) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    }


def test_nothing_that_an_edge_runs_names_the_module_that_writes() -> None:
    """Not by an import, nor by a name from which one could be made: only its own command leads there."""
    named = re.compile(r"modbus(\.| import )(write|set_address)\b|\bmeter_cmd\b")
    modules = [*MODULES, *(ROOT / "gateway").rglob("*.py")]
    found = {str(path.relative_to(ROOT)) for path in modules if named.search(path.read_text(encoding="utf-8"))}
    assert found - {WRITER} == {"drivers/modbus/set_address.py", "gateway/cli/meters.py", "gateway/meter_cmd.py"}


def test_modbus_asks_by_functions_3_and_4_only() -> None:
    """Every request that a shipped profile makes, on a serial line and over TCP."""
    functions = set()
    for name, path in available().items():
        if not re.search(r'(?m)^driver\s*=\s*"modbus"', path.read_text(encoding="utf-8")):
            continue
        for bus in (Bus("line", "/dev/ttyUSB0"), Bus("host", "tcp://127.0.0.1:502")):
            functions |= {page.read.function for page in load(name).layout.pages(wire_of(bus))}
    assert functions <= READS
    assert functions


@pytest.mark.parametrize("path", sorted((ROOT / "drivers/modbus").glob("*.py")), ids=lambda path: path.name)
def test_one_modbus_module_alone_knows_a_writing_function(path: Path) -> None:
    """The one that gives a meter its address, for `nabd meter set-address`, which asks a person first."""
    if str(path.relative_to(ROOT)) == WRITER:
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    asked = {node for node in constants(tree) if path.name != "analyze.py"}  # that one names what it sees on a wire
    assert asked & WRITES == set()


def test_dlms_sets_nothing_and_calls_one_method() -> None:
    """SET is decoded and never made; ACTION answers the challenge of an association, and nothing else."""
    assert callers("SetRequest") <= {"drivers/dlms/services.py"}
    assert callers("ActionRequest") == {"drivers/dlms/association.py", "drivers/dlms/services.py"}
    association = ast.parse((ROOT / "drivers/dlms/association.py").read_text(encoding="utf-8"))
    made = [node for node in ast.walk(association) if _calls(node, "ActionRequest")]
    assert [ast.unparse(node.args[0]) for node in made] == ["REPLY_TO_CHALLENGE"]  # type: ignore[attr-defined]
