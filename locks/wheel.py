# ruff: noqa: INP001  a tool of ./run, not a part of the program
"""Makes the wheel so that the same sources give the same bytes, and says its hash: `./run wheel`."""

import hashlib
import os
import sys

from systemd.debian.build import ROOT, source_epoch
from systemd.debian.wheels import BuildError, own


def main() -> int:
    """Make it in dist/, and print its hash as sha256sum does."""
    output = ROOT / "dist"
    output.mkdir(exist_ok=True)
    try:
        os.environ["SOURCE_DATE_EPOCH"] = str(source_epoch())
        path = own(ROOT, output)
    except BuildError as error:
        print(f"nabd wheel: {error}", file=sys.stderr)  # noqa: T201  it talks to people
        return 2
    print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(ROOT)}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
