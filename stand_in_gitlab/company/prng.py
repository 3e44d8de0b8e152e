"""Chance that repeats: the same seed and key always fall the same way."""

import random


class Prng(random.Random):
    """A generator that also answers yes or no."""

    def hits(self, probability: float) -> bool:
        """True as often as the probability says."""
        return self.random() < probability


def prng(*key: object) -> Prng:
    """A generator of its own for one thing of the company, so that sizes do not disturb each other."""
    return Prng("/".join(map(str, key)))


def token_hex(*key: object, digits: int = 32) -> str:
    """Hexadecimal digits that belong to this key for ever."""
    return f"{prng(*key).getrandbits(digits * 4):0{digits}x}"
