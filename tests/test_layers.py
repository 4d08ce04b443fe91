"""The arrows of the house: who may import whom, read from the source and not from a running program.

1. drivers import nothing of ours; gateway and simulator import drivers; only `gateway/cli/shown.py` opens the
   simulator, and only inside a function.
2. Codecs know no clock, loop, log, socket, file or dice.
3. What the edge loads stays small: heavy extras are imported inside functions, or in the few modules that only a hub,
   a home or a demo loads.
4. Nobody keeps the program's state in a module: no `global`.
5. One module makes the frame that writes to a meter, one sends it, one command asks for it: nobody else imports them.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from drivers import PROTOCOLS

ROOT = Path(__file__).parents[1]
OURS = {"drivers", "gateway", "simulator"}
MAY_IMPORT = {"drivers": {"drivers"}, "gateway": {"drivers", "gateway"}, "simulator": {"drivers", "simulator"}}
OPENS_THE_SIMULATOR = "gateway/cli/shown.py"

IMPURE = {
    "aiofiles", "asyncio", "concurrent", "io", "logging", "multiprocessing", "os", "pathlib", "random",
    "secrets", "selectors", "serialx", "shutil", "socket", "ssl", "subprocess", "tempfile", "threading", "time",
}  # fmt: skip

ONLY_FOR = {
    "drivers.modbus.write": "drivers/modbus/set_address.py",
    "drivers.modbus.set_address": "gateway/meter_cmd.py",
    "gateway.meter_cmd": "gateway/cli/meters.py",
}
"""Who alone may import what: the way of the one write there is."""

SENT = {
    "drivers/modbus/rtu.py": {"rtu_request"},
    "drivers/modbus/tcp.py": {"tcp_request"},
    "drivers/modbus/set_address.py": {"write_frame"},
}
"""The makers of what Modbus modules put on a wire; the first two make requests for registers only."""

CLOCKS = {"now", "today", "utcnow"}
"""Calls by which a codec, which may calculate with dates, would look at the clock."""

HEAVY = {"apprise", "cryptography", "influxdb_client", "iotcore", "jinja2", "pymodbus", "starlette", "uvicorn"}
LOADED_ONLY_ASIDE = ("gateway/web/", "gateway/hub.py", "gateway/home.py", "gateway/store/influx.py", "simulator/")
"""Modules that the edge never imports at its top, so they may name heavy extras at theirs."""


@dataclass(frozen=True)
class Import:
    """One import as it stands: the module named, and whether it runs when the file is loaded."""

    module: str
    line: int
    at_load: bool

    @property
    def top(self) -> str:
        """Name the distribution or package."""
        return self.module.partition(".")[0]


def sources() -> list[Path]:
    """Give every module of ours."""
    return sorted(path for package in OURS for path in (ROOT / package).rglob("*.py"))


def imports_of(tree: ast.AST, package: str = "") -> Iterator[Import]:
    """Walk a module; what stands in a function or under TYPE_CHECKING does not run at load."""

    def walk(node: ast.AST, *, at_load: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            yield from (Import(name.name, node.lineno, at_load) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            yield from (Import(f"{module}.{name.name}", node.lineno, at_load) for name in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                yield from walk(other, at_load=at_load)
        else:
            inside = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            for child in ast.iter_child_nodes(node):
                yield from walk(child, at_load=at_load and not inside)

    yield from walk(tree, at_load=True)


def broken_rules(where: str, source: str) -> list[str]:
    """Say every rule that one module breaks, as `file:line: what`."""
    tree = ast.parse(source)
    package = ".".join(Path(where).parent.parts)
    home = Path(where).parts[0]
    wrong: list[tuple[int, str]] = []
    for found in imports_of(tree, package):
        opens = where == OPENS_THE_SIMULATOR and found.top == "simulator" and not found.at_load
        if found.top in OURS - MAY_IMPORT[home] and not opens:
            wrong.append((found.line, f"{home} imports {found.module}"))
        if home == "drivers" and where.endswith("/codec.py") and found.top in IMPURE:
            wrong.append((found.line, f"a codec imports {found.top}"))
        if found.top in HEAVY and found.at_load and not where.startswith(LOADED_ONLY_ASIDE):
            wrong.append((found.line, f"{found.top} is imported at load: import it where it is used"))
        if found.at_load and not where.startswith(LOADED_ONLY_ASIDE) and loads_aside(found.module):
            wrong.append((found.line, f"{found.module} brings a heavy extra at load"))
        module = next((name for name in ONLY_FOR if f"{found.module}.".startswith(f"{name}.")), None)
        if module is not None and where != ONLY_FOR[module]:
            wrong.append((found.line, f"{module} is for {ONLY_FOR[module]} alone"))
    if home == "drivers" and where.endswith("/codec.py"):
        wrong += [
            (node.lineno, f"a codec asks {node.attr}()")
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr in CLOCKS
        ]
    wrong += [
        (node.lineno, f"global {', '.join(node.names)}") for node in ast.walk(tree) if isinstance(node, ast.Global)
    ]
    return [f"{where}:{line}: {what}" for line, what in wrong]


@cache
def loads_aside(module: str) -> bool:
    """Tell whether importing `module` loads one of ours that imports a heavy extra at load."""
    parts = module.split(".")
    path = next(
        (p for n in (len(parts), len(parts) - 1) if (p := ROOT.joinpath(*parts[:n]).with_suffix(".py")).is_file()), None
    )
    return path is not None and any(i.top in HEAVY and i.at_load for i in imports_of(ast.parse(path.read_text())))


def test_there_is_something_to_read() -> None:
    """The three packages are where this test looks for them."""
    assert {path.relative_to(ROOT).parts[0] for path in sources()} >= OURS


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows(path: Path) -> None:
    """No module of ours breaks a rule of this page."""
    assert broken_rules(str(path.relative_to(ROOT)), path.read_text()) == []


def test_the_edge_loads_nothing_heavy() -> None:
    """A gateway with every protocol loaded has imported none of the heavy extras, whoever imports whom."""
    modules = ["gateway.cli", "gateway.edge", *(f"{package}.driver" for package in PROTOCOLS.values())]
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=30, check=True
    )
    assert HEAVY & {name.partition(".")[0] for name in done.stdout.split()} == set()


def called(path: Path) -> set[str]:
    """Name every function a module calls."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return {call.id if isinstance(call, ast.Name) else getattr(call, "attr", "") for call in calls}


def test_what_goes_onto_a_modbus_wire_is_known() -> None:
    """Only three modules send, each what one function makes; only one of the three functions writes to a meter."""
    modbus = {str(path.relative_to(ROOT)): called(path) for path in (ROOT / "drivers/modbus").glob("*.py")}
    makers = {"rtu_request", "tcp_request", "write_frame"}
    assert {where: calls & makers for where, calls in modbus.items() if calls & {"write", "writelines"}} == SENT
    assert {where for where, calls in modbus.items() if "write_frame" in calls} == {"drivers/modbus/set_address.py"}


@pytest.mark.parametrize("name", ["rtu_request", "tcp_request"])
def test_requests_ask_and_do_nothing_else(name: str) -> None:
    """The two request makers cannot carry a value: what they pack is a function, an address and a count."""
    from drivers.modbus import codec

    read = codec.Read(3, 0x14, 2)
    frame = codec.rtu_request(1, read)[:-2] if name == "rtu_request" else codec.tcp_request(9, 1, read)[6:]
    assert frame == bytes.fromhex("01 03 0014 0002")


def test_profiles_read_by_functions_3_and_4_only() -> None:
    """No profile's table is anything but holding or input registers."""
    from typing import get_args

    from drivers.modbus.profile import File

    assert get_args(File.model_fields["table"].annotation) == ("input", "holding")


@pytest.mark.parametrize(
    ("where", "source", "said"),
    [
        ("gateway/poll.py", "def f():\n    from drivers.modbus import write", "drivers.modbus.write is for"),
        ("drivers/modbus/driver.py", "from drivers.modbus.write import write_frame", "drivers.modbus.write is for"),
        ("gateway/edge.py", "import drivers.modbus.set_address", "drivers.modbus.set_address is for"),
        ("gateway/control.py", "from gateway.meter_cmd import plan", "gateway.meter_cmd is for"),
        ("drivers/scan.py", "import gateway.poll", "drivers imports gateway.poll"),
        ("drivers/scan.py", "def f():\n    from simulator import meters", "drivers imports simulator.meters"),
        ("simulator/fleet.py", "from gateway import poll", "simulator imports gateway.poll"),
        ("gateway/edge.py", "def f():\n    import simulator", "gateway imports simulator"),
        ("gateway/cli/shown.py", "import simulator", "gateway imports simulator"),
        ("drivers/p1/codec.py", "from time import monotonic", "a codec imports time"),
        ("drivers/p1/codec.py", "def f():\n    import random", "a codec imports random"),
        ("drivers/p1/codec.py", "from datetime import datetime\ndatetime.now()", "a codec asks now()"),
        ("gateway/edge.py", "import starlette.routing", "starlette is imported at load"),
        ("gateway/edge.py", "try:\n    import uvicorn\nexcept ImportError:\n    pass", "uvicorn is imported at load"),
        ("gateway/poll.py", "n = 0\ndef f():\n    global n\n    n += 1", "global n"),
    ],
)
def test_a_broken_rule_is_seen(where: str, source: str, said: str) -> None:
    """Each rule bites: a module that breaks it is named."""
    assert any(said in line for line in broken_rules(where, source))


@pytest.mark.parametrize(
    ("where", "source"),
    [
        ("gateway/cli/shown.py", "def demo():\n    from simulator import fleet"),
        ("gateway/edge.py", "from drivers.contract import Reading"),
        ("gateway/hub.py", "def f():\n    import uvicorn"),
        ("gateway/hub.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from starlette import routing"),
        ("gateway/web/page.py", "import jinja2"),
        ("drivers/p1/codec.py", "from decimal import Decimal\nfrom drivers.contract import DecodeError"),
        ("drivers/p1/driver.py", "import asyncio"),
        ("gateway/meter_cmd.py", "from drivers.modbus.set_address import set_address"),
        ("gateway/poll.py", "from drivers.modbus.writer import thing"),
    ],
)
def test_what_is_allowed_stays_allowed(where: str, source: str) -> None:
    """The rules do not grow beyond what they say."""
    assert broken_rules(where, source) == []
