"""What a trigger's checks answer: a word for machines that stays the same, and a text for people."""

from typing import NamedTuple


class Reason(NamedTuple):
    """One check: whether it lets the event build, and why. All codes stand in the table of decision.py."""

    ok: bool
    code: str
    text: str


def passed(code: str, text: str) -> Reason:
    """The check lets the event build."""
    return Reason(True, code, text)


def refused(code: str, text: str) -> Reason:
    """The check keeps the event from building."""
    return Reason(False, code, text)
