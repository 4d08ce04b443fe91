"""The peer's client reads a meter once; runs in the peer's own environment.

Takes one JSON object as its argument: `port`, `hdlc`, `client`, `mechanism` (0, 1, 5), `ciphered`, `key`, `auth_key`
(hex), `password`, `counter`, `registers` (OBIS codes), `profile`, `first` and `last` (rows by number), `since` and
`until` (rows by time, seconds since 1970). Says what it read as one JSON object.
"""

import json
import socket
import sys
from datetime import UTC, datetime
from typing import Any

from gurux_dlms import GXReplyData  # type: ignore[import-not-found]
from gurux_dlms.enums import Authentication, InterfaceType, Security  # type: ignore[import-not-found]
from gurux_dlms.objects import GXDLMSProfileGeneric, GXDLMSRegister  # type: ignore[import-not-found]
from gurux_dlms.secure import GXDLMSSecureClient  # type: ignore[import-not-found]

HDLC_SERVER, WRAPPER_SERVER = 1, 1


class Reader:
    """A link with the peer's client on it."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        self.sock = socket.create_connection(("127.0.0.1", wanted["port"]), 5)
        self.sock.settimeout(5)
        self.frames = 0
        kind = InterfaceType.HDLC if wanted["hdlc"] else InterfaceType.WRAPPER
        mechanism = Authentication(wanted["mechanism"])
        password = wanted["password"] if wanted["mechanism"] == 1 else None
        self.client = GXDLMSSecureClient(True, wanted["client"], 1, mechanism, password, kind)
        if wanted["ciphered"]:
            cipher = self.client.ciphering
            cipher.security = Security.AUTHENTICATION_ENCRYPTION
            cipher.systemTitle = b"GURUX001"
            cipher.blockCipherKey = bytes.fromhex(wanted["key"])
            cipher.authenticationKey = bytes.fromhex(wanted["auth_key"])
            cipher.invocationCounter = wanted["counter"]

    def ask(self, request: Any) -> Any:
        """Send one frame or several, and gather the whole answer."""
        reply = GXReplyData()
        for frame in request if isinstance(request, list) else [request]:
            reply.clear()
            self.once(frame, reply)
            while reply.isMoreData():
                self.once(None if reply.isStreaming() else self.client.receiverReady(reply), reply)
        return reply

    def once(self, frame: Any, reply: Any) -> None:
        """Send one frame and take one answer."""
        if frame is not None:
            self.frames += 1
            self.sock.sendall(bytes(frame))
        data = bytearray()
        notify = GXReplyData()
        while not self.client.getData(bytes(data), reply, notify):
            more = self.sock.recv(4096)
            if not more:
                raise ConnectionError("the meter hung up")
            data += more
        if reply.error:
            raise RuntimeError(reply.getErrorMessage())

    def open(self) -> None:
        """Open link and association."""
        snrm = self.client.snrmRequest()
        if snrm:
            self.client.parseUAResponse(self.ask(snrm).data)
        self.client.parseAareResponse(self.ask(self.client.aarqRequest()).data)
        if self.client.authentication > Authentication.LOW:
            reply = self.ask(self.client.getApplicationAssociationRequest())
            self.client.parseApplicationAssociationResponse(reply.data)

    def close(self) -> None:
        """Release association and link."""
        self.ask(self.client.releaseRequest())
        if self.client.interfaceType == InterfaceType.HDLC:
            self.ask(self.client.disconnectRequest())

    def value(self, target: Any, attribute: int) -> Any:
        """Read one attribute."""
        reply = self.ask(self.client.read(target, attribute))
        return self.client.updateValue(target, attribute, reply.value)


def plain(value: Any) -> Any:
    """Make a value of the peer one of JSON."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    moment = getattr(value, "value", None)
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).isoformat()
    return value


def read(reader: Reader, wanted: dict[str, Any]) -> dict[str, Any]:
    """Read everything that is asked for."""
    found: dict[str, Any] = {"registers": {}}
    objects = reader.client.parseObjects(reader.ask(reader.client.getObjectsRequest()).data, True)
    found["objects"] = sorted([int(thing.objectType), thing.logicalName] for thing in objects)
    registers = [GXDLMSRegister(code) for code in wanted["registers"]]
    for register in registers:
        reader.value(register, 3)
        reader.value(register, 2)
        found["registers"][register.logicalName] = [register.value, int(register.unit)]
    both = [(register, 2) for register in registers]
    replies = [reader.ask(request) for request in reader.client.readList(both)]
    reader.client.updateValues(both, [value for reply in replies for value in reply.value])
    found["list"] = [register.value for register in registers]
    profile = GXDLMSProfileGeneric(wanted["profile"])
    for attribute in (3, 4, 7):
        reader.value(profile, attribute)
    found["columns"] = [
        [int(column.objectType), column.logicalName, about.attributeIndex] for column, about in profile.captureObjects
    ]
    found["rows"] = plain(reader.value(profile, 2))
    count = wanted["last"] - wanted["first"] + 1
    reply = reader.ask(reader.client.readRowsByEntry(profile, wanted["first"], count))
    found["by_entry"] = plain(reader.client.updateValue(profile, 2, reply.value))
    since, until = (datetime.fromtimestamp(wanted[name], UTC) for name in ("since", "until"))
    reply = reader.ask(reader.client.readRowsByRange(profile, since, until))
    found["by_range"] = plain(reader.client.updateValue(profile, 2, reply.value))
    return found


def main() -> None:
    """Read once."""
    wanted = json.loads(sys.argv[1])
    reader = Reader(wanted)
    reader.open()
    found = read(reader, wanted)
    reader.close()
    sys.stdout.write(json.dumps({**found, "frames": reader.frames}) + "\n")


main()
