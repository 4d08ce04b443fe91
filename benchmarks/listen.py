"""Prints each live message that comes, after the word "ready": `python -m benchmarks.listen PORT FILTER`.

A line has the topic, when it came (Unix seconds), and how old its reading then was (seconds).
"""

import asyncio
import sys
import time

import orjson

from gateway.mqtt import connect
from gateway.transport import Endpoint


async def main(port: int, pattern: str) -> None:
    """Listen until killed; what was read before is of an earlier run, kept by the broker, and no news."""
    began = time.time()
    connection = await connect(Endpoint(f"mqtt://127.0.0.1:{port}", "listener"))
    await connection.subscribe([pattern])
    print("ready", flush=True)
    async for arrived in connection.messages():
        read, now = orjson.loads(arrived.message.payload)["ts"] / 1000, time.time()
        if read >= began:
            age = now - read
            print(f"{arrived.message.topic} {now:.3f} {age:.3f}", flush=True)
        arrived.ack()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
