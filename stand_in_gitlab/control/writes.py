"""Every call that was to change something, in the order in which it was carried out."""

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from stand_in_gitlab.clock import iso
from stand_in_gitlab.company.names import words
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.api import Call
from stand_in_gitlab.rest.ask import fields_of
from stand_in_gitlab.rest.auth import token_text
from stand_in_gitlab.rest.refusals import Refusal

KEPT = 10_000
READING = frozenset({"GET", "HEAD", "OPTIONS"})
SECRET = words("token password secret private_key signing custom_headers url_variables")
HIDDEN = "[hidden]"


@dataclass(slots=True, kw_only=True)
class Write:
    """One call. `answered` is the API's status, `sent` the one that went out: 0 = none, None = not yet."""

    seq: int
    at: str
    method: str
    path: str
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    user_id: int | None = None
    token: str | None = None
    answered: int | None = None
    sent: int | None = None
    fault: str | None = None
    request_id: str


class Writes:
    """Keeps the newest calls, without what is secret in them."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._kept: deque[Write] = deque(maxlen=KEPT)
        self._last = 0

    def note(self, call: Call, now: float, request_id: str, fault: str | None) -> Write | None:
        """Note a call that is about to be carried out, or to be kept from it by a fault; None for one that reads."""
        if call.method in READING:
            return None
        token = self._company.tokens.get(token_text(call.headers, call.params) or "")
        self._last += 1
        write = Write(
            seq=self._last, at=iso(now), method=call.method, path=call.path, request_id=request_id, fault=fault,
            query=_shown(dict(call.params)), body=_shown(_body(call)),
            user_id=token.user_id if token else None, token=token.name if token else None,
        )  # fmt: skip
        self._kept.append(write)
        return write

    def since(self, seq: int = 0) -> list[dict[str, Any]]:
        """What came after the call of this number, oldest first."""
        return [asdict(each) for each in self._kept if each.seq > seq]

    def clear(self) -> None:
        """Start with an empty list; numbers go on."""
        self._kept.clear()


def _body(call: Call) -> dict[str, Any]:
    try:
        return fields_of(call.headers, call.body)
    except Refusal:
        return {"unreadable": len(call.body)}


def _shown(value: Any) -> Any:
    """The same without the values of secret fields, at any depth."""
    if isinstance(value, dict):
        return {name: HIDDEN if _is_secret(name) else _shown(each) for name, each in value.items()}
    return [_shown(each) for each in value] if isinstance(value, list) else value


def _is_secret(name: str) -> bool:
    return name == "key" or any(word in name.lower() for word in SECRET)
