"""Makes a gateway's key and request at its first start, as a program of its own: python -m gateway.identity.first.

The running edge does not load what makes keys; this ends after a second, and its memory with it.
"""

import sys
from pathlib import Path

from gateway.identity.errors import IdentityError
from gateway.identity.folder import Folder


def main(folder: str, name: str) -> int:
    """Make what is not there yet; 1, with the reason, when that cannot be done."""
    try:
        Folder(Path(folder)).request(name)
    except (IdentityError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201  the program that started us reads it
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
