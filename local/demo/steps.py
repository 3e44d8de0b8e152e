"""Telling what is being done: one line that changes on a terminal, elsewhere a plain line for each step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def steps(console: Console, first: str) -> Iterator[Callable[[str], None]]:
    """Show a step, and each further one that is told, until the block ends."""
    if console.is_terminal:
        with console.status(first) as status:
            yield status.update
    else:
        console.print(first)
        yield console.print
