"""Which way leads to a meter: the link's kind and the addresses of both ends.

1. `usual` is HDLC on a serial line and the wrapper on TCP.
2. A number as a meter's address is the device on an HDLC line, or the logical device behind the wrapper.
3. Text says more: `client/server`, or `client/server/device` on an HDLC line.
"""

import re

from drivers.contract import Meter, Refused
from drivers.dlms.hdlc import Address
from drivers.dlms.hdlc_link import HdlcLink, Limits
from drivers.dlms.layout import Asking
from drivers.dlms.link import Link
from drivers.dlms.wrapper import WrapperLink

_ADDRESS = re.compile(r"(\d{1,3})/(\d{1,5})(?:/(\d{1,5}))?", re.ASCII)
_ONE_BYTE, _TWO_BYTES = 127, 16_383


def is_hdlc(asking: Asking, *, over_tcp: bool) -> bool:
    """Tell whether the meter speaks HDLC on this kind of bus."""
    return asking.link in ("hdlc", "mode-e") or (asking.link == "usual" and not over_tcp)


def link_to(meter: Meter, asking: Asking, *, over_tcp: bool, client: int | None = None) -> Link:
    """Make the link to a meter, as another client where one is given; raises Refused for an address that is none."""
    ours, server, device = _addresses(meter, asking, over_tcp=over_tcp)
    ours = ours if client is None else client
    if not is_hdlc(asking, over_tcp=over_tcp):
        return WrapperLink(ours, server)
    wish = Limits(asking.frame, asking.frame, asking.window, asking.window)
    return HdlcLink(Address(ours), _server_address(server, device), wish)


def _addresses(meter: Meter, asking: Asking, *, over_tcp: bool) -> tuple[int, int, int | None]:
    address = meter.address
    if address is None:
        return asking.client, asking.server, None
    if isinstance(address, int):
        if is_hdlc(asking, over_tcp=over_tcp):
            return asking.client, asking.server, address
        return asking.client, address, None
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise Refused(f"{address!r} is no DLMS address", "a number, client/server or client/server/device: 16/1/17")
    client, server, device = (None if part is None else int(part) for part in found.groups())
    return client or asking.client, server or 0, device


def _server_address(server: int, device: int | None) -> Address:
    if max(server, device or 0) > _TWO_BYTES:
        raise Refused(f"{server}/{device} is no HDLC address", f"each part is {_TWO_BYTES} at most")
    if device is None:
        return Address(server) if server <= _ONE_BYTE else Address(server, 0, 4)
    return Address(server, device, 2 if max(server, device) <= _ONE_BYTE else 4)
