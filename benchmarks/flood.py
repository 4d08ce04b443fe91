"""Sends hostile commands as fast as told: `python -m benchmarks.flood PORT SECONDS RATE`; prints how many.

Written on the bare socket: a client library would be slower than what it is to test.
"""

import random
import socket
import sys
import threading
import time

TOPIC = b"nabd/v1/home/bench/cmd/"
CONNECT = bytes.fromhex("1012 0004 4d515454 05 02 003c 00 0005 666c6f6f64".replace(" ", ""))
"""MQTT 5, client "flood", clean start, keep-alive 60 s."""
SIZES = [1] * 400 + [40] * 400 + [400] * 195 + [64 * 1024] * 3 + [128 * 1024, 1_000_000]
"""Bytes of a payload, and how often: mostly small ones, and some bombs."""
BATCH = 0.02


def packet(dice: random.Random) -> bytes:
    """Make one PUBLISH at QoS 0."""
    topic = TOPIC + dice.choice([b"ping", b"read_now", b"reload", b"x"])
    payload = dice.choice([b"[", b"{", b'{"a":', b"\xff", b"0"]) * dice.choice(SIZES)
    body = len(topic).to_bytes(2, "big") + topic + b"\x00" + payload[:1_000_000]
    length, rest = b"", len(body)
    while True:
        rest, low = rest // 128, rest % 128
        length += bytes([low | (128 if rest else 0)])
        if not rest:
            return b"\x30" + length + body


def main(port: int, seconds: float, rate: int) -> int:
    """Send, and give how many were sent."""
    dice = random.Random(1)
    packets = [packet(dice) for _ in range(2000)]
    sent = 0
    with socket.create_connection(("127.0.0.1", port)) as wire:
        wire.sendall(CONNECT)
        threading.Thread(target=_drain, args=(wire,), daemon=True).start()
        start = time.monotonic()
        while (passed := time.monotonic() - start) < seconds:
            due = int(passed * rate) - sent
            if due > 0:
                wire.sendall(b"".join(packets[(sent + n) % len(packets)] for n in range(due)))
                sent += due
            time.sleep(BATCH)
    return sent


def _drain(wire: socket.socket) -> None:
    while wire.recv(4096):
        pass


if __name__ == "__main__":
    print(main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
