"""Which lists of accounts are to be read in which groups, how that went, and what is said of the others. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gitlab_hub.access.sources.layers import list_at, place_of
from gitlab_hub.access.sources.store import READ
from gitlab_hub.gitlab.account_lists import AccountList
from gitlab_hub.gitlab.errors import (
    Forbidden,
    GitLabError,
    MissingPermissions,
    ResourceNotFound,
    UnexpectedResponse,
)
from gitlab_hub.sync.asides import status_of

BAD_REQUEST = 400
DISABLED = "disabled"
NO_SUCH_LIST = "This GitLab has no such list: it is a Community Edition, or of an older release."


class Outcome(NamedTuple):
    """How a list was read; of one that was not also why, as it is shown to people."""

    status: str
    code: str = ""
    reason: str = ""


@dataclass(slots=True)
class Plan:
    """Which lists of which groups are to be read, and which were; it survives a worker as JSON."""

    groups: dict[int, str] = field(default_factory=dict)
    done: dict[str, Outcome] = field(default_factory=dict)
    """How each list was read, by its place."""

    @property
    def cursor(self) -> dict[str, Any]:
        """Where it has come to."""
        done = {place: list(outcome) for place, outcome in self.done.items()}
        return {"groups": [list(one) for one in self.groups.items()], "done": done}

    @classmethod
    def of(cls, cursor: Mapping[str, Any]) -> "Plan":
        """Go on from there."""
        done = {place: Outcome(*told) for place, told in cursor["done"].items()}
        return cls({one[0]: one[1] for one in cursor["groups"]}, done)

    def is_read(self, one: AccountList, group_id: int | None) -> bool:
        """Whether the list was read to its end."""
        outcome = self.done.get(place_of(one.name, group_id))
        return outcome is not None and outcome.status == READ

    def refusals(self) -> Iterator[tuple[str, int | None, Outcome]]:
        """What there is to say of lists that were not read: once of a list that no group shows, else of each group."""
        by_list: dict[str, dict[int | None, Outcome]] = {}
        for place, outcome in self.done.items():
            name, group_id = list_at(place)
            by_list.setdefault(name, {})[group_id] = outcome
        for name, outcomes in by_list.items():
            statuses = {outcome.status for outcome in outcomes.values()}
            group_id, first = next(iter(outcomes.items()))
            if first.reason and len(statuses) == 1:
                yield name, group_id if len(outcomes) == 1 else None, first
            elif len(statuses) > 1:
                of_groups = ((place_of(name, number), number, outcome) for number, outcome in outcomes.items())
                yield from (one for one in of_groups if one[2].reason)


def refusal(one: AccountList, error: GitLabError) -> Outcome:
    """Why GitLab did not show a list, and what would change that."""
    is_bad_request = isinstance(error, UnexpectedResponse) and error.http_status == BAD_REQUEST
    match error:
        case MissingPermissions():
            status, why = "forbidden", str(error)
        case ResourceNotFound():
            # The group itself is there: GitLab has just listed it.
            status, why = DISABLED, NO_SUCH_LIST
        case Forbidden() | UnexpectedResponse() if isinstance(error, Forbidden) or is_bad_request:
            # 400 is what some of these lists say to whoever is no Owner.
            status, why = "forbidden", f"GitLab refuses it to the token's user. {one.to_change}"
        case _:
            status, why = status_of(error), str(error)
    code = Forbidden.code if is_bad_request else error.code
    return Outcome(status, code, f"{one.does}: {why}")
