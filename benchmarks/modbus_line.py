"""Modbus RTU meters on a paced pty, one at every address; it prints its device.

    python -m benchmarks.modbus_line BAUD TURNAROUND REGISTERS

It keeps time by sleeping, not by an event loop, so that what is lost on the line is lost by its reader. A request takes
its characters' time from the moment it is written, the answer begins after the turnaround, and comes in chunks of at
most 8 ms, as an adapter would deliver it.
"""

import os
import sys
import time
import tty

from drivers.modbus.codec import crc16

CHUNK = 0.008
REQUEST = 8


def main(baud: int, turnaround: float, registers: int) -> None:
    """Serve until killed."""
    master, slave = os.openpty()
    tty.setraw(slave)
    print(os.ttyname(slave), flush=True)
    answers = {}
    for unit in range(1, 248):
        body = bytes((unit, 4, 2 * registers)) + b"\0\1" * registers
        answers[unit] = body + crc16(body)
    character = 10 / baud
    step = int(CHUNK / character)
    while True:
        heard = os.read(master, 256)
        start = time.monotonic() + REQUEST * character + turnaround
        while len(heard) < REQUEST:
            heard += os.read(master, 256)
        answer = answers[heard[0]]
        for at in range(0, len(answer), step):
            chunk = answer[at : at + step]
            time.sleep(max(0.0, start + (at + len(chunk)) * character - time.monotonic()))
            os.write(master, chunk)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
