"""Fuzz one decoder by coverage: `python -m tests.fuzz.atheris_run TARGET SECONDS FOLDER`; needs the package atheris.

What crashes it lies in FOLDER afterwards as `crash-…`, to be copied to tests/fuzz/crashes/TARGET, where every test run
tries it again.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

atheris: Any = import_module("atheris")


def main(name: str, seconds: str, folder: Path) -> None:
    """Run until the time is up or something crashes."""
    with atheris.instrument_imports(include=["drivers"]):
        from tests.fuzz.targets import TARGETS
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-artifact_prefix={folder}/", "-max_len=4096", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], TARGETS[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
