"""Markdown tables, which a terminal shows well enough too."""

from collections.abc import Sequence
from itertools import zip_longest


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; what begins with a digit stands on the right."""
    widths = [max(map(len, column)) for column in zip_longest(columns, *rows, fillvalue="")]
    lines = [
        " | ".join(_cell(text, width) for text, width in zip(row, widths, strict=True)) for row in (columns, *rows)
    ]
    rule = "|".join("-" * (width + 1) + (":" if n else "-") for n, width in enumerate(widths))
    head, *body = [f"| {line} |" for line in lines]
    return "\n".join([head, f"|{rule}|", *body])


def _cell(text: str, width: int) -> str:
    return text.rjust(width) if text[:1].isdigit() else text.ljust(width)
