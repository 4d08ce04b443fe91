"""Another peer's client reads a meter once; runs in the peer's own environment.

Takes one JSON object as its argument, and says what it read, as gurux_reader.py does; `more` holds settings of the
association in the peer's own words.
"""

import json
import sys
from datetime import UTC, datetime
from typing import Any

from pydlms import DlmsClient, DlmsData, Mechanism, SecurityContext  # type: ignore[import-not-found]
from pydlms.apdu.xdlms import entry_descriptor, range_descriptor  # type: ignore[import-not-found]

OCTET_STRING = 9
MECHANISMS = {0: Mechanism.NONE, 1: Mechanism.LLS, 5: Mechanism.HLS_GMAC}


def moment(time: float) -> Any:
    """Make a date-time in UTC."""
    at = datetime.fromtimestamp(time, UTC)
    octets = at.year.to_bytes(2, "big") + bytes((at.month, at.day, 0xFF, at.hour, at.minute, at.second, 0, 0, 0, 0))
    return DlmsData(OCTET_STRING, octets)


def settings(wanted: dict[str, Any]) -> dict[str, Any]:
    """Say how the association is to be."""
    chosen: dict[str, Any] = {"client_sap": wanted["client"], "mechanism": MECHANISMS[wanted["mechanism"]]}
    if wanted["mechanism"] == 1:
        chosen["password"] = wanted["password"].encode()
    if wanted["ciphered"]:
        chosen["security"] = SecurityContext(
            encryption_key=bytes.fromhex(wanted["key"]),
            authentication_key=bytes.fromhex(wanted["auth_key"]),
            client_system_title=b"PYDLMS01",
            invocation_counter=wanted["counter"],
        )
    return chosen


def rows(buffer: Any) -> list[Any]:
    """Give rows as the other peer does."""
    return [
        [cell.to_datetime().isoformat() if hasattr(cell, "to_datetime") else cell for cell in row]
        for row in buffer.rows
    ]


def read(meter: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Read everything that is asked for."""
    found: dict[str, Any] = {"registers": {}}
    found["objects"] = sorted([int(entry.class_id), str(entry.logical_name)] for entry in meter.get_association_view())
    for code in wanted["registers"]:
        register = meter.get_register(code)
        found["registers"][code] = [float(register.value), int(register.unit)]
    found["list"] = [value.value for value in meter.get_many([(code, 3, 2) for code in wanted["registers"]])]
    profile = wanted["profile"]
    found["rows"] = rows(meter.read_profile(profile, typed=True))
    found["by_entry"] = rows(meter.read_profile(profile, entry_descriptor(wanted["first"], wanted["last"]), typed=True))
    chosen = range_descriptor(moment(wanted["since"]), moment(wanted["until"]))
    found["by_range"] = rows(meter.read_profile(profile, chosen, typed=True))
    return found


def main() -> None:
    """Read once."""
    wanted = json.loads(sys.argv[1])
    with DlmsClient.tcp(
        "127.0.0.1", wanted["port"], hdlc=wanted["hdlc"], timeout=5, **settings(wanted), **wanted.get("more", {})
    ) as meter:
        found = read(meter, wanted)
    sys.stdout.write(json.dumps(found) + "\n")


main()
