"""A paho Client's socket on the asyncio loop: the loop reads and writes through paho's public hooks, no thread runs."""

import asyncio
import socket
import ssl
from collections.abc import Callable

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode

from gateway.transport import Lost

BROKEN = "the connection to the broker broke"


class Wire:
    """Drives one Client from `take` to `close`; `broken` hears what upset paho, and closes.

    `behind` counts the bytes its owner gave the socket since that last kept up.
    """

    def __init__(self, client: Client, keepalive: int, broken: Callable[[str], None]) -> None:
        """`keepalive` is the connection's, in seconds."""
        self.behind = 0
        self._client, self._keepalive, self._broken = client, keepalive, broken
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._socket: socket.socket | None = None
        self._over = False

    def take(self) -> None:
        """Take the socket that the Client has opened; raises Lost when it has none any more."""
        opened, client = self._client.socket(), self._client
        if not isinstance(opened, socket.socket):
            raise Lost(BROKEN)
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # an alert waits for no earlier packet's ACK
        self._socket = opened
        self._loop.add_reader(opened, self._read)
        if client.want_write():
            self._on_register_write(client, None, opened)
        self._tick()

    def close(self) -> None:
        """Let go of the socket."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        self._on_socket_close()

    def _tick(self) -> None:
        self._drive(self._client.loop_misc)
        if not self._over:
            self._timer = self._loop.call_later(max(0.05, self._keepalive / 20), self._tick)

    def _read(self) -> None:
        self._drive(self._client.loop_read)
        while not self._over and isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            self._drive(self._client.loop_read)  # TLS has decrypted more than the selector can see

    def _drive(self, step: Callable[[], MQTTErrorCode]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001  a broker's bytes may upset paho in any way; they end the connection
            self._broken(f"the broker sent what is not MQTT 5: {error!r}")

    # paho calls what follows, always from the loop.

    def _on_register_write(self, *_: object) -> None:
        if self._socket is not None:
            self._loop.add_writer(self._socket, self._drive, self._client.loop_write)

    def _on_unregister_write(self, *_: object) -> None:
        self.behind = 0  # all is written: the socket keeps up
        if self._socket is not None:
            self._loop.remove_writer(self._socket)

    def _on_socket_close(self, *_: object) -> None:
        closing, self._socket = self._socket, None
        if closing is not None:
            self._loop.remove_reader(closing)
            self._loop.remove_writer(closing)
            closing.close()
