"""Prints how old live readings are when their blocks reach the broker: `python -m benchmarks.ages PORT`.

After the word "ready" it prints one number a block, in seconds: the age of the oldest reading of a meter that is being
polled now. Readings of the backlog, whose meters have names of their own, are left out.
"""

import asyncio
import sys
import time

from gateway.message import decode_block
from gateway.mqtt import connect
from gateway.transport import Endpoint


async def main(port: int) -> None:
    """Listen until killed."""
    connection = await connect(Endpoint(f"mqtt://127.0.0.1:{port}", "ages"))
    await connection.subscribe(["nabd/v1/+/+/data"])
    print("ready", flush=True)
    async for arrived in connection.messages():
        arrived.ack()
        times = [row.ts for row in decode_block(arrived.message.payload).readings if "backlog" not in row.meter]
        if times:
            print(time.time() - min(times) / 1000, flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
