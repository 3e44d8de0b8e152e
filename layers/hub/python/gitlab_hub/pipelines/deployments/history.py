"""What counting needs of a project's deployments, taken out of their rows page by page: no row is held. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gitlab_hub.pipelines.deployments import counting
from gitlab_hub.pipelines.deployments.changes import LOOK_BACK, Ended
from gitlab_hub.pipelines.deployments.counting import Environments
from gitlab_hub.pipelines.deployments.model import OVER
from gitlab_hub.pipelines.deployments.state import DAY
from gitlab_hub.storage.ports import Item

OPEN_DAYS = 7
"""A deployment that no job makes is waited for so long: nothing else tells of its end."""


class History:
    """The deployments that may have ended since some moment.

    A project may have deployed a hundred times a day for most of a year, mostly to environments that nobody counts.
    """

    def __init__(self, environments: Environments, *, merged_from: int) -> None:
        """`environments`: those that are known; `merged_from`: since when it matters when merge requests were merged.

        Of what ended a good while before that only whether they were asked for is kept.
        """
        self._environments, self._merged_from = environments, merged_from - LOOK_BACK - DAY
        self.names: dict[int, str | None] = {}
        """What the environments were called that anything was deployed to."""
        self.by_environment: dict[int, list[Ended]] = {}
        """What succeeded or failed in production, and in environments that are not known."""
        self.unknown: set[int] = set()
        """The deployments whose merge requests nobody can tell."""
        self.tries: dict[int, int] = {}
        """How often GitLab was asked in vain for those of others."""
        self.is_open = False
        """Whether one may end without any pipeline that tells of it."""

    def add(self, rows: Sequence[Item], *, now: int) -> None:
        """Take what is needed of some rows (`now` in seconds)."""
        for row in rows:
            self.names.setdefault(row["environment_id"], row["environment"])
            self.is_open = self.is_open or is_open(row, now)
            if "merged_unknown" in row:
                self.unknown.add(row["id"])
            elif "merged_tries" in row:
                self.tries[row["id"]] = row["merged_tries"]
        for where, some in counting.ended(rows, self._environments).items():
            self.by_environment.setdefault(where, []).extend(self._lean(one) for one in some)

    def in_production(self, environments: Environments) -> dict[int, list[Ended]]:
        """What succeeded or failed in production, once all environments are known."""
        return {
            where: some for where, some in self.by_environment.items() if counting.is_production(where, environments)
        }

    def take_merged(self, told: Mapping[int, Sequence[int]]) -> None:
        """Hear when the merge requests of deployments were merged, by the id of each."""
        for some in self.by_environment.values():
            some[:] = [replace(one, merged=told[one.id]) if one.id in told else one for one in some]

    def _lean(self, one: Ended) -> Ended:
        if not one.merged:
            return one
        return replace(one, merged=() if one.at < self._merged_from else tuple(one.merged))


def is_open(row: Item, now: int) -> bool:
    """Whether a deployment may end without any pipeline that tells of it."""
    return row["status"] not in OVER and row["job_id"] is None and (row["created_at"] or 0) >= now - OPEN_DAYS * DAY
