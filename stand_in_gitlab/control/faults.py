"""Faults on demand: which request goes wrong, and how."""

import re
from dataclasses import asdict, dataclass, field

from stand_in_gitlab.company.names import words
from stand_in_gitlab.company.prng import Prng, prng

KINDS = frozenset(
    words(
        "status html_502 html_200 unauthorized rate_limited endpoint_limited truncated drip reset empty_list "
        "foreign_link looped_link gzip_bomb deep_json redirect slow broken_json "
        "stripped first_page short_page relabelled odd_row status_after html_502_after "
        "graphql_timeout graphql_null graphql_short graphql_left_out graphql_no_users graphql_failed"
    )
)

NUMBERS = ("skip", "times", "probability", "seed", "status", "seconds", "retry_after", "size", "depth", "row")


@dataclass(slots=True, kw_only=True)
class Fault:
    """One rule. It spares the first `skip` matching requests, then strikes `times` times (0: for ever).

    `method` is one or several, separated by spaces: "POST PUT DELETE".
    """

    id: int
    kind: str
    path: str = ".*"
    query: str = ".*"
    method: str | None = None
    skip: int = 0
    times: int = 1
    probability: float = 1.0
    seed: int = 0
    status: int = 500
    seconds: float = 1.0
    retry_after: int = 1
    location: str = "https://evil.example/api/v4/user"
    size: int = 50_000_000
    depth: int = 100_000
    origin: str = "https://evil.example"
    headers: str = "Link X-Next-Page X-Prev-Page X-Page X-Per-Page X-Total X-Total-Pages"
    row: int = 0
    fields: dict[str, object] = field(default_factory=dict)
    matched: int = 0
    struck: int = 0
    chance: Prng = field(repr=False, default_factory=lambda: prng("fault"))


class Faults:
    """The rules in force, asked once per request; the first that strikes wins."""

    def __init__(self) -> None:
        self._rules: dict[int, Fault] = {}
        self._next = 1

    def add(self, wanted: dict[str, object]) -> Fault:
        """Put a rule in force; ValueError or TypeError if it makes no sense."""
        if wanted.get("kind") not in KINDS:
            message = f"kind must be one of {', '.join(sorted(KINDS))}"
            raise ValueError(message)
        if wrong := [name for name in NUMBERS if not isinstance(wanted.get(name, 0), int | float)]:
            message = f"{', '.join(wrong)} must be numbers"
            raise ValueError(message)
        for name in ("path", "query"):
            _compiled(str(wanted.get(name, ".*")))
        fault = Fault(id=self._next, **wanted)  # type: ignore[arg-type]  # JSON values, checked above
        fault.chance = prng("fault", fault.seed)
        self._rules[fault.id] = fault
        self._next += 1
        return fault

    def remove(self, number: int | None = None) -> None:
        """Lift one rule, or all."""
        if number is None:
            self._rules.clear()
        self._rules.pop(number or 0, None)

    def rules(self) -> list[dict[str, object]]:
        """What is in force, with its counters."""
        return [_plain(rule) for rule in self._rules.values()]

    def strike(self, method: str, path: str, query: str = "") -> Fault | None:
        """The fault that this request meets, if any."""
        for rule in self._rules.values():
            if _meets(rule, method, path, query):
                return rule
        return None


def _meets(rule: Fault, method: str, path: str, query: str) -> bool:
    if rule.method and method not in rule.method.split():
        return False
    if not (re.search(rule.path, path) and re.search(rule.query, query)):
        return False
    rule.matched += 1
    if (
        rule.matched <= rule.skip
        or (rule.times and rule.struck >= rule.times)
        or rule.chance.random() >= rule.probability
    ):
        return False
    rule.struck += 1
    return True


def _plain(rule: Fault) -> dict[str, object]:
    return {name: value for name, value in asdict(rule).items() if name != "chance"}


def _compiled(path: str) -> re.Pattern[str]:
    try:
        return re.compile(path)
    except re.error as problem:
        message = f"this is no regular expression: {problem}"
        raise ValueError(message) from None
