"""Asks a gateway to answer, five times a second: `python -m benchmarks.lag PORT SECONDS` prints how long each took."""

import asyncio
import sys

from gateway.message import Topics
from gateway.mqtt import connect
from gateway.transport import Endpoint, Message

EVERY = 0.2


async def main(port: int, seconds: float) -> None:
    """Send `cmd/ping` and wait for its reply, one after the other."""
    topics = Topics("home", "bench")
    connection = await connect(Endpoint(f"mqtt://127.0.0.1:{port}", "lag"))
    await connection.subscribe([topics.of("reply")])
    replies = connection.messages()
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:
        asked = loop.time()
        ping = Message(topics.of("cmd", "ping"), b"", qos=1, expiry=60, correlation=str(asked).encode())
        await connection.publish(ping)
        async for arrived in replies:
            arrived.ack()
            if arrived.message.correlation == ping.correlation:
                break
        print(loop.time() - asked, flush=True)
        await asyncio.sleep(EVERY)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
