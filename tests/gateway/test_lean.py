"""What an edge leaves out of memory."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ABSENT = ("email", "http.client", "zipfile", "csv", "urllib.request", "importlib.metadata", "shutil", "bz2", "lzma")
CUSTOMERS = tuple(f"gateway.config.{name}" for name in ("customers", "customer_relations", "channels", "report"))
SCRIPT = f"""
import sys
from gateway.lean import import_lean
import gateway.cli
gateway.cli.parser_of_all()
import_lean()
import gateway.edge
print([name for name in sys.modules if name in {ABSENT} or name.startswith("_sysconfigdata")])
import importlib.metadata, urllib.request
print(bool(importlib.metadata.version("pydantic")), callable(urllib.request.urlopen))
"""


def test_an_edge_comes_without_mail_and_http_and_whoever_needs_them_gets_the_real_ones() -> None:
    """Nothing of an edge brings what only plugins and proxies need; the stand-ins are gone afterwards."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["[]", "True True"]


def test_what_is_there_already_stays() -> None:
    """Where the real modules are in use, nothing is put in their place."""
    script = (
        "import importlib.metadata as real, sys\n"
        "from gateway.lean import import_lean\n"
        "import_lean()\n"
        "print(sys.modules['importlib.metadata'] is real)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_what_checked_a_configuration_is_let_go() -> None:
    """An edge that has read the shipped file and its meter models keeps no validator of any table in them."""
    script = """
from pathlib import Path
from gateway.config.load import load
from pydantic import BaseModel

def below(model):
    return [model, *(deeper for kind in model.__subclasses__() for deeper in below(kind))]

load(Path("config/edge.toml"), "edge", {"STATE_DIRECTORY": "/tmp", "CREDENTIALS_DIRECTORY": "config"})
print([kind for kind in below(BaseModel)[1:] if kind.__pydantic_complete__ and kind.model_fields])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "[]\n")


def test_an_edge_comes_without_the_tables_that_only_hub_and_home_have() -> None:
    """An edge that has read its file brought neither stores nor channels, nor what describes a file."""
    script = f"""
import sys
from pathlib import Path
import gateway.edge
from gateway.config.load import load

load(Path("config/edge.toml"), "edge", {{"STATE_DIRECTORY": "/tmp", "CREDENTIALS_DIRECTORY": "config"}})
print([name for name in {CUSTOMERS} if name in sys.modules])
load(Path("config/home.toml"), "home", {{"STATE_DIRECTORY": "/tmp", "CREDENTIALS_DIRECTORY": "config"}})
print("gateway.config.customers" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "[]\nTrue\n")
