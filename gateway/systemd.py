"""Tells systemd that we are ready, alive or stopping; does nothing where no systemd asked for it."""

import os
import socket


def notify(state: str) -> None:
    """Send one sd_notify datagram such as "READY=1"."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)


def watchdog_interval() -> float | None:
    """Give half the time systemd allows between signs of life, in seconds, or None."""
    allowed = os.environ.get("WATCHDOG_USEC", "")
    return int(allowed) / 2e6 if allowed.isdigit() else None
