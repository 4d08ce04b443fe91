"""Asks a gateway to answer, once a second: `python -m benchmarks.lag PORT SECONDS`.

Each line is how long that took, and how long just before a message took that the broker sent straight back, in seconds:
what a busy machine and the broker themselves cost.
"""

import asyncio
import sys
from collections.abc import AsyncIterator

from gateway.message import Topics
from gateway.mqtt import connect
from gateway.transport import Arrived, Connection, Endpoint, Message

EVERY = 1.0
"""Seconds of rest after an answer: a gateway carries out one command a second, and a refusal costs it less."""
ECHO = "lag/echo"


async def main(port: int, seconds: float) -> None:
    """Send `cmd/ping` and wait for its reply, one after the other."""
    topics = Topics("home", "bench")
    connection = await connect(Endpoint(f"mqtt://127.0.0.1:{port}", "lag"))
    await connection.subscribe([topics.of("reply"), ECHO])
    answers = connection.messages()
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:
        echo = await _ask(connection, answers, ECHO)
        way = await _ask(connection, answers, topics.of("cmd", "ping"))
        print(way, echo, flush=True)
        await asyncio.sleep(EVERY)


async def _ask(connection: Connection, answers: AsyncIterator[Arrived], topic: str) -> float:
    loop = asyncio.get_running_loop()
    asked = loop.time()
    question = Message(topic, b"", qos=1, expiry=60, correlation=str(asked).encode())
    await connection.publish(question)
    async for arrived in answers:
        arrived.ack()
        if arrived.message.correlation == question.correlation:
            if b"error" in arrived.message.payload:
                raise SystemExit(arrived.message.payload.decode())
            break
    return loop.time() - asked


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
