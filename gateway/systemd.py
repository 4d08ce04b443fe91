"""Tells systemd that we are ready, alive, reloading or stopping; does nothing where no systemd asked for it."""

import contextlib
import os
import socket
import time


def notify(state: str) -> None:
    """Send one sd_notify datagram such as "READY=1"; one that nobody takes is lost, and harms nobody."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.5)  # a systemd that does not listen must not hold up the meters
        sock.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)


def watchdog_interval() -> float | None:
    """Give half the time systemd allows between signs of life, in seconds, or None."""
    allowed = os.environ.get("WATCHDOG_USEC", "")
    return int(allowed) / 2e6 if allowed.isdigit() else None


def monotonic_usec() -> int:
    """Give the moment of a reload, as systemd wants it."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
