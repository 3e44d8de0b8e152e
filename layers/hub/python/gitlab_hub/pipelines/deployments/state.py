"""How far the deployments of each project were read, and when they are read again. What decides is pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gitlab_hub.gitlab.errors import CiDisabled
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.pipelines.keys import deployment_states_pk
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import item_of, query_all, value_of

HOUR, DAY = 3_600, 86_400

LATELY_SECONDS = 30 * DAY
"""A project that has deployed so lately is asked once an hour where pipelines have changed in it, else once a day."""

MOST_LATE = 1_000
"""Deployments that ended long after they were made and are known as such: those that ended last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentState:
    """How far a project's deployments were read; times in unix seconds."""

    watermark: int | None = None
    """Up to when all changes are stored, in milliseconds."""
    read_at: int | None = None
    """When GitLab was asked last."""
    seen_at: int | None = None
    """When it last showed a deployment."""
    environments_read_at: int | None = None
    """When all of its environments were last read."""
    recount_from: int | None = None
    """Since when deployments have ended that are not counted yet; noted before they are stored."""
    days: Sequence[str] = ()
    """The days that something is counted of."""
    late: Sequence[Sequence[int]] = ()
    """Deployments that ended long after they were made, each by its id and its end: their ids do not tell when."""
    has_more: bool = False
    """Whether more is left to ask than one run does."""
    waits: bool = False
    """Whether something is left to ask later, though no pipeline changes."""
    error: str | None = None
    """Why they could not be read the last time: an error code."""
    failed_at: int | None = None
    """When that was, where it was no refusal and may be over soon."""

    def is_due(self, now: int) -> bool:
        """Whether a project in which something has changed is to be asked."""
        if self.read_at is None or self.has_more or self.failed_at is not None:
            return True
        lately = self.error is None and self.seen_at is not None and now - self.seen_at < LATELY_SECONDS
        return not 0 <= now - self.read_at < (HOUR if lately else DAY)

    @property
    def is_read(self) -> bool:
        """Whether all of its deployments are known; one that has none for anybody is as good as read."""
        return (self.read_at is not None and self.error is None) or self.error == CiDisabled.code

    def counting_from(self, moment: int | None) -> "DeploymentState":
        """The state before something is stored that ended at this moment."""
        known = (self.recount_from, moment)
        return replace(self, recount_from=min((one for one in known if one is not None), default=None))

    def with_late(self, late: Mapping[int, int]) -> "DeploymentState":
        """The state before some are stored that ended long after they were made (the end of each by its id)."""
        before = {one[0]: one[1] for one in self.late}
        if late.items() <= before.items():
            return self
        news = [end for number, end in late.items() if before.get(number) != end]
        kept = sorted({**before, **late}.items(), key=lambda one: -one[1])[:MOST_LATE]
        return replace(self.counting_from(min(news)), late=[[number, end] for number, end in kept])


class DeploymentStates:
    """The stored states of an integration's projects. All calls block."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._table, self._pk = table, deployment_states_pk(integration_id)

    def load(self, project_id: int) -> DeploymentState:
        """The state of a project; one that was never read has none."""
        return _state(self._table.get(self._pk, padded(project_id)) or {})

    def load_many(self, projects: Sequence[int]) -> dict[int, DeploymentState]:
        """The states of some projects, of those that were read."""
        items = self._table.get_many([(self._pk, padded(one)) for one in projects])
        return {int(item["sk"]): _state(item) for item in items}

    def load_all(self) -> dict[int, DeploymentState]:
        """The states of all projects that were read."""
        return {int(item["sk"]): _state(item) for item in query_all(self._table, self._pk)}

    def save(self, project_id: int, state: DeploymentState) -> None:
        """Keep the state of a project."""
        lists = {"days": list(state.days), "late": [list(one) for one in state.late]}
        self._table.put({"pk": self._pk, "sk": padded(project_id), "schema_version": 1, **item_of(state), **lists})


def _state(item: Item) -> DeploymentState:
    return value_of(DeploymentState, item)
