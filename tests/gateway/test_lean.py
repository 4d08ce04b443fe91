"""What an edge leaves out of memory."""

import subprocess
import sys

ABSENT = ("email", "http.client", "zipfile", "csv", "urllib.request", "importlib.metadata")
SCRIPT = f"""
import sys
from gateway.lean import import_lean
import_lean()
import gateway.edge
print([name for name in {ABSENT} if name in sys.modules])
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
