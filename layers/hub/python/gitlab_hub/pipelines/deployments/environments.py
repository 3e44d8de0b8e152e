"""The environments of one project: a deployment does not tell its tier, so whatever was deployed to has to be known."""

from collections.abc import Mapping, Sequence

from gitlab_hub.gitlab.errors import ResourceNotFound
from gitlab_hub.gitlab.fields import mapping
from gitlab_hub.pipelines.deployments import counting
from gitlab_hub.pipelines.deployments.changes import Ended
from gitlab_hub.pipelines.deployments.model import environment_of
from gitlab_hub.pipelines.deployments.state import DAY, DeploymentState
from gitlab_hub.pipelines.deployments.store import DeploymentStore
from gitlab_hub.pipelines.model import UNKNOWN
from gitlab_hub.storage.ports import Item
from gitlab_hub.sync.ports import Session

FEW = 5
"""So many new environments are asked for one by one: a list may have thousands of review apps."""

_TOLD = ("id", "name", "slug", "state", "external_url", "tier", "created_at", "updated_at")
"""What GitLab tells of an environment."""


class KnownEnvironments:
    """Reads environments where a deployment went to an unknown one, and all of them once a day."""

    def __init__(self, session: Session, project_id: int, store: DeploymentStore) -> None:
        self._session, self._project_id, self._store = session, project_id, store
        self.known: dict[int, Item] = {}
        self.read_at: int | None = None
        """When all were read by this worker."""

    async def load(self) -> None:
        """Know those that are stored."""
        self.known = await self._session.io(self._store.environments, self._project_id)

    async def read(self, names: Mapping[int, str | None], state: DeploymentState, *, now: int, full: bool) -> bool:
        """Know the environments that something was deployed to, by id and name; whether one has got another tier."""
        unknown = sorted(names.keys() - self.known.keys())
        last = state.environments_read_at
        if full or last is None or not 0 <= now - last < DAY or len(unknown) > FEW:
            listed = await self._listed()
            self.read_at = now
        elif unknown:
            listed = [row for one in unknown if (row := await self._one(one)) is not None]
        else:
            return False
        found = {row["id"]: row for row in listed}
        for one in unknown:
            # It is gone already, so nobody will ever say what it was.
            found.setdefault(one, _gone({"id": one, "name": names[one], "tier": UNKNOWN}, now))
        if self.read_at is not None:
            gone = (row for number, row in self.known.items() if number not in found)
            found |= {row["id"]: _gone(row, now) for row in gone if row.get("deleted_at_source") is None}
        return await self._take(found)

    async def note_first(self, by_environment: Mapping[int, Sequence[Ended]]) -> None:
        """Keep which deployment was the first that ever succeeded in each environment."""
        for where, deployments in by_environment.items():
            row, first = self.known[where], counting.first_of(deployments, self.known[where])
            if first is not None and first != (row.get("first_at"), row.get("first_id")):
                await self._put([{**row, "first_at": first[0], "first_id": first[1]}])

    async def _take(self, found: Mapping[int, Item]) -> bool:
        news, is_other_tier = [], False
        for number, row in found.items():
            before = self.known.get(number)
            told = {**_own(before), **row}
            if before is None or any(told.get(name) != before.get(name) for name in (*_TOLD, "deleted_at_source")):
                news.append(told)
                is_other_tier = is_other_tier or (before is not None and before["tier"] != row["tier"])
        await self._put(news)
        return is_other_tier

    async def _put(self, rows: list[Item]) -> None:
        if rows:
            await self._session.write(self._store.put_environments, self._project_id, rows)
            self.known |= {row["id"]: row for row in rows}

    async def _listed(self) -> list[Item]:
        path = f"/projects/{self._project_id}/environments"
        return [environment_of(row) async for page in self._session.gitlab.pages(path) for row in page.rows]

    async def _one(self, number: int) -> Item | None:
        try:
            reply = await self._session.gitlab.get(f"/projects/{self._project_id}/environments/{number}")
        except ResourceNotFound:
            return None
        return environment_of(mapping(reply.body))


def _own(row: Item | None) -> Item:
    """What the hub knows beside what GitLab tells; that it was gone is over where GitLab shows it."""
    return {name: row[name] for name in ("first_at", "first_id") if row is not None and name in row}


def _gone(row: Item, now: int) -> Item:
    return {**dict.fromkeys(_TOLD), **row, "deleted_at_source": now}
