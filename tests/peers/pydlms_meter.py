"""The peer's simulated meter with all our associations at once; runs in the peer's own environment.

Takes one JSON object as its argument: `key`, `auth_key` (hex), `password`, `hdlc` and `window`. Says the port, then
serves until its standard input ends.
"""

import json
import sys

from pydlms import Mechanism  # type: ignore[import-not-found]
from pydlms.simulator import ClientProfile, example_meter, serve  # type: ignore[import-not-found]


def main() -> None:
    """Serve."""
    wanted = json.loads(sys.argv[1])
    meter = example_meter(
        encryption_key=bytes.fromhex(wanted["key"]), authentication_key=bytes.fromhex(wanted["auth_key"])
    )
    password = wanted["password"].encode()
    meter.clients = {
        16: ClientProfile(),
        2: ClientProfile(mechanism=Mechanism.LLS, secret=password),
        3: ClientProfile(mechanism=Mechanism.LLS, secret=password, ciphered=True),
        1: ClientProfile(mechanism=Mechanism.HLS_GMAC, ciphered=True),
    }
    server = serve(meter, hdlc=wanted["hdlc"], **({"hdlc_window": wanted["window"]} if wanted["hdlc"] else {}))
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


main()
