"""General block transfer, the meter's side: a long message goes out in blocks, as many at once as the client takes."""

from drivers.contract import DecodeError
from drivers.dlms.notices import Block, Blocks

HEAD = 9
"""Bytes of a block around its piece: tag, control, two numbers, a length."""


class Transfer:
    """What one association sends and takes in blocks; `room` is the longest message the client takes."""

    def __init__(self, room: int) -> None:
        self._size = room - HEAD
        self._pieces: list[bytes] = []
        self._taken = Blocks()
        self._acknowledged = 0

    def send(self, message: bytes) -> list[bytes]:
        """Begin a message: its first block, for nobody knows yet how many the client takes at once."""
        self._pieces = [message[at : at + self._size] for at in range(0, len(message), self._size)]
        return self._from(1, 1)

    def take(self, block: Block) -> tuple[bytes | None, list[bytes]]:
        """Take a block: give the message it completes, and what to send at once; raises DecodeError."""
        if self._pieces and not block.piece:
            following = block.acknowledged + 1
            if following > len(self._pieces):
                self._pieces, self._acknowledged = [], 0
                return None, []
            return None, self._from(following, max(block.window, 1))
        message = self._taken.add(block)
        self._acknowledged = block.number
        if message is not None or block.streaming:
            return message, []
        return None, [bytes(Block(1, b"", last=True, window=1, acknowledged=block.number))]

    def _from(self, number: int, window: int) -> list[bytes]:
        """Give the blocks from `number` on; all but the last of them stream."""
        if number < 1:
            raise DecodeError(f"there is no block {number}", "blocks have numbers from 1")
        end = min(number + window, len(self._pieces) + 1)
        return [
            bytes(
                Block(
                    at, self._pieces[at - 1], at == len(self._pieces), at < end - 1, window=1,
                    acknowledged=self._acknowledged,
                )
            )
            for at in range(number, end)
        ]  # fmt: skip
