"""What the deployments to one production environment came to: which of them were changes, and how those did. Pure.

A deployment is a change if it succeeded, and its commit has not been deployed there before. After it comes, in the
order of their ends,

| what ends next | means |
|---|---|
| another change | the one before worked |
| the same commit once more | nothing: it was deployed again |
| a failed deployment | the one before counts as failed; it is restored with the next that succeeds, since the failure |
| a commit of before | a rollback: the one before counts as failed, since it was deployed, and is restored with this |

What lies more than `LOOK_BACK` apart has nothing to do with each other: so a day never needs all of the history.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gitlab_hub.pipelines.deployments.model import FAILED, SUCCESS

LOOK_BACK_DAYS = 90
LOOK_BACK = LOOK_BACK_DAYS * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A deployment to a production environment that has succeeded or failed; times in unix seconds."""

    id: int
    environment_id: int
    sha: str
    status: str
    at: int
    merged: Sequence[int] | None = None
    """When the merge requests that it brought were merged; None where that is not known."""

    @property
    def lead_times(self) -> list[int] | None:
        """Seconds from the merge of each of them to its end; one that was merged later did not come with it."""
        return None if self.merged is None else sorted(self.at - moment for moment in self.merged if moment <= self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A deployment that brought something new; times in unix seconds, spans in seconds."""

    id: int
    environment_id: int
    at: int
    lead_times: Sequence[int] | None
    """Of its merge requests; None where these are not known, or not its own."""
    is_first: bool = False
    """Whether nothing was deployed there before: GitLab then names all merge requests that were ever merged."""
    failed: bool = False
    restored_after: int | None = None


def changes(deployments: Iterable[Ended], first: int | None = None) -> list[Change]:
    """The changes among the deployments to one environment, in the order in which they ended.

    `first`: the id of the first that ever succeeded there.
    """
    found: list[Change] = []
    seen: dict[str, int] = {}
    now_there: str | None = None
    is_open = False  # Whether the last change still waits for what comes next.
    broken_since: int | None = None
    for one in sorted(deployments, key=lambda one: (one.at, one.id)):
        if found and one.at - found[-1].at > LOOK_BACK:
            is_open, broken_since = False, None
        is_new = one.status == SUCCESS and one.at - seen.get(one.sha, one.at - LOOK_BACK - 1) > LOOK_BACK
        went_back = one.status == SUCCESS and not is_new and one.sha != now_there
        if is_open and (one.status == FAILED or went_back):
            is_open, broken_since = False, found[-1].at if went_back else one.at
            found[-1] = replace(found[-1], failed=True)
        if one.status != SUCCESS:
            continue
        if broken_since is not None:
            found[-1] = replace(found[-1], restored_after=one.at - broken_since)
            broken_since = None
        if is_new:
            found.append(_change(one, is_first=one.id == first))
            is_open = True
        seen[one.sha], now_there = one.at, one.sha
    return found


def _change(one: Ended, *, is_first: bool) -> Change:
    lead_times = None if is_first else one.lead_times
    return Change(
        id=one.id, environment_id=one.environment_id, at=one.at, lead_times=lead_times, is_first=is_first
    )  # fmt: skip
