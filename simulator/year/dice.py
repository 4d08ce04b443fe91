"""Dice with a seed."""

from random import Random


class Dice(Random):
    """Dice that always fall the same way for the same seed, with the throw that homes need most."""

    def chance(self, share: float) -> bool:
        """Tell whether something happens that happens in such a share of all cases."""
        return self.random() < share
