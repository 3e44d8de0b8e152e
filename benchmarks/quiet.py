"""Functions log to standard output, where a worker prints its figures."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def logging_to_nowhere() -> Iterator[None]:
    """Let the function log as it does, but not among the figures."""
    kept = sys.stdout
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        sys.stdout = nowhere
        try:
            yield
        finally:
            sys.stdout = kept
