"""How many groups or projects to ask for at once: half as many after trouble, and more again with care. Pure."""

FIRST = 200
"""What the first batch asks for."""

GROWS_AFTER = 4
"""Batches in a row that came whole before more is asked for again, once it was too much."""

QUICK_SECONDS = 2.0
"""A batch that took longer is large enough: GitLab gives a query 30 seconds, and the client less."""

GIVES_UP_AFTER = 5
"""Batches in a row of which nothing came: GraphQL, and not a batch, is in trouble."""


class BatchSize:
    """The size of the next batch."""

    def __init__(self, first: int = FIRST) -> None:
        self._wanted = first
        self._whole, self._vain = GROWS_AFTER, 0

    @property
    def is_hopeless(self) -> bool:
        """Whether so many batches in a row have brought nothing that no further one is worth a try."""
        return self._vain >= GIVES_UP_AFTER

    def within(self, most: int) -> int:
        """How many to ask for, where a query may ask for so many at most."""
        self._wanted = min(self._wanted, most)
        return self._wanted

    def worked(self, seconds: float) -> None:
        """A batch came whole, in so much time."""
        self._vain, self._whole = 0, self._whole + 1
        if self._whole > GROWS_AFTER and seconds <= QUICK_SECONDS:
            self._wanted *= 2

    def was_too_much(self, *, brought_any: bool) -> None:
        """A batch was too complex, too large or too slow."""
        self._wanted, self._whole = max(1, self._wanted // 2), 0
        self._vain = 0 if brought_any else self._vain + 1
