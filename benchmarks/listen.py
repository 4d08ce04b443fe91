"""Prints the time and topic of each live message, after the word "ready": `python -m benchmarks.listen PORT FILTER`."""

import asyncio
import sys
import time

from gateway.mqtt import connect
from gateway.transport import Endpoint


async def main(port: int, pattern: str) -> None:
    """Listen until killed; retained copies of an earlier run are not news."""
    connection = await connect(Endpoint(f"mqtt://127.0.0.1:{port}", "listener"))
    await connection.subscribe([pattern])
    print("ready", flush=True)
    async for arrived in connection.messages():
        if not arrived.message.retain:
            print(time.time(), arrived.message.topic, flush=True)
        arrived.ack()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
