"""Where a gateway writes: into its own folder and the folder in memory, and nowhere else."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import skip_or_fail
from tests.power.evidence import ROOT

CONFIG = """[gateway]
id = "gw-1"
[clock]
trust = "system"
[journal]
folder = "{folder}/state"
window = "1s"
mirror = "{folder}/run"
[mqtt]
url = "mqtt://127.0.0.1:1"
[[bus]]
name = "bus"
driver = "modbus"
url = "tcp://127.0.0.1:1"
[[meter]]
name = "main"
bus = "bus"
profile = "eastron-sdm120"
every = "1s"
"""
OPENED = re.compile(r'openat?\((?:AT_FDCWD, )?"([^"]+)", ([A-Z_|]+)')
CHANGED = re.compile(r'\b(?:mkdir|unlink|rename|link|symlink|chmod|truncate)(?:at)?2?\((?:AT_FDCWD, )?"([^"]+)"')
HARMLESS = ("/dev/null", "/dev/tty", "/proc/self/")


def written(trace: str) -> set[str]:
    """Give every path that a trace shows opened to write, made, renamed or removed."""
    opened = {path for path, flags in OPENED.findall(trace) if re.search("O_WRONLY|O_RDWR|O_CREAT", flags)}
    return {path for path in opened | set(CHANGED.findall(trace)) if not path.startswith(HARMLESS)}


def test_an_edge_writes_into_its_own_folders_only(tmp_path: Path) -> None:
    """Every file that a running edge opened to write lies in its state folder or its run folder."""
    strace = shutil.which("strace") or ""
    if not strace:
        skip_or_fail("strace is not installed (apt install strace)")
    for name in ("state", "run"):
        (tmp_path / name).mkdir()
    config, trace = tmp_path / "edge.toml", tmp_path / "trace"
    config.write_text(CONFIG.format(folder=tmp_path))
    calls = "trace=%file,ftruncate,fallocate"
    edge = subprocess.Popen(  # with -D the tracer stands aside, and the process we start is the edge
        [strace, "-D", "-f", "-e", calls, "-o", trace, sys.executable, "-m", "gateway.cli", "edge", "-c", config],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},  # an installed one has compiled its modules
    )
    try:
        until = time.monotonic() + 30
        while not (tmp_path / "state" / "edge.sock").exists():
            assert time.monotonic() < until, "the edge did not start"
            time.sleep(0.1)
        time.sleep(2.5)
    finally:
        edge.send_signal(signal.SIGTERM)
        edge.wait(20)
    paths = written(trace.read_text(errors="replace"))
    allowed = (f"{tmp_path}/state", f"{tmp_path}/run")
    assert any(path.endswith("journal.db") for path in paths), "the trace shows nothing"
    assert {path for path in paths if not path.startswith(allowed)} == set()
