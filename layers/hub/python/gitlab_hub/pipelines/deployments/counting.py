"""Counting a project's deployments to production again from some moment on. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitlab_hub.gitlab.fields import day_of
from gitlab_hub.pipelines.deployments.changes import LOOK_BACK, Change, Ended, changes
from gitlab_hub.pipelines.deployments.model import FAILED, PRODUCTION, SUCCESS
from gitlab_hub.pipelines.deployments.store import CountedDay, day_of_change
from gitlab_hub.storage.ports import Item

Environments = Mapping[int, Item]


@dataclass(frozen=True, slots=True)
class Count:
    """What deployments came to, from a day on."""

    since: str
    days: Mapping[str, CountedDay]


def reach(moment: int) -> int:
    """Since when deployments have to be at hand to count again from a moment on.

    The end of one decides about a change that lies at most `LOOK_BACK` before it, and whether that was one, about as
    much again.
    """
    return moment - 2 * LOOK_BACK


def is_production(environment_id: int, environments: Environments) -> bool:
    """Whether what is deployed to an environment counts."""
    return bool(environments.get(environment_id, {}).get("tier") == PRODUCTION)


def ended(rows: Iterable[Item], environments: Environments) -> dict[int, list[Ended]]:
    """What succeeded or failed in production, or in an environment that is not known, by environment."""
    found: dict[int, list[Ended]] = {}
    for row in rows:
        where, at = row["environment_id"], row["finished_at"]
        may_count = where not in environments or is_production(where, environments)
        if may_count and row["status"] in {SUCCESS, FAILED} and at is not None:
            found.setdefault(where, []).append(_ended(row, at))
    return found


def _ended(row: Item, at: int) -> Ended:
    return Ended(
        id=row["id"], environment_id=row["environment_id"], sha=row["sha"], status=row["status"], at=at,
        merged=row.get("merged"),
    )  # fmt: skip


def first_of(deployments: Iterable[Ended], environment: Item) -> tuple[int, int] | None:
    """When something first succeeded in an environment, and its id: as far as it is known so far."""
    known = environment.get("first_at"), environment.get("first_id")
    found = [(one.at, one.id) for one in deployments if one.status == SUCCESS]
    if known[0] is not None and known[1] is not None:
        found.append((known[0], known[1]))
    return min(found, default=None)


def changes_of(by_environment: Mapping[int, Sequence[Ended]], environments: Environments) -> list[Change]:
    """The changes in all environments, in the order in which they ended."""
    found = (
        change
        for where, deployments in by_environment.items()
        for change in changes(deployments, environments[where].get("first_id"))
    )
    return sorted(found, key=lambda one: (one.at, one.id))


def counted(by_environment: Mapping[int, Sequence[Ended]], environments: Environments, since: int) -> Count:
    """What the deployments came to on each day; `since`: when the earliest of those ended that are not counted yet.

    It decides about the change before it as well, so the days count again from that one on.
    """
    found = changes_of(by_environment, environments)
    begins = since
    for where in by_environment:
        before = [one.at for one in found if one.environment_id == where and since - LOOK_BACK <= one.at < since]
        begins = min(begins, max(before, default=since))
    first, days = day_of(begins), dict[str, CountedDay]()
    successes = [one.at for some in by_environment.values() for one in some if one.status == SUCCESS]
    for day in sorted({day_of(at) for at in successes}):
        if day >= first:
            mine = [one for one in found if day_of_change(one) == day]
            days[day] = CountedDay(mine, sum(day_of(at) == day for at in successes))
    return Count(first, days)
