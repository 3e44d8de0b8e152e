"""Reading stored deployments and environments back. Every call reads a bounded number of rows."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace

from gitlab_hub.gitlab.fields import padded
from gitlab_hub.pipelines.keys import BY_CHANGE, deployment_feed, deployments_pk, environments_pk
from gitlab_hub.pipelines.reader import ItemPage, filtered
from gitlab_hub.storage.ports import Item, Rows, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentFilter:
    """Which deployments a list is to show; times are unix seconds."""

    project_id: int | None = None
    group_id: int | None = None
    environment: str | None = None
    tier: str | None = None
    status: str | None = None
    created_after: int | None = None
    created_before: int | None = None

    def named(self) -> tuple[str | int | None, ...]:
        """All filters in a fixed order."""
        return astuple(self)

    def test(self, within: set[int] | None) -> Callable[[Item], bool]:
        """The test that a row must pass; `within`: the projects below the group that is named."""
        wanted = {name: value for name in ("environment", "tier", "status") if (value := getattr(self, name))}
        after, before = self.created_after, self.created_before
        return lambda item: (
            (within is None or item["project_id"] in within)
            and all(item.get(name) == value for name, value in wanted.items())
            and (after is None or (item["created_at"] or 0) >= after)
            and (before is None or (item["created_at"] or 0) <= before)
        )


class DeploymentReader:
    """The deployments and environments of all integrations, as the API shows them."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def deployments(
        self, integration_id: str, filters: DeploymentFilter, *, limit: int, after: str | None, within: set[int] | None
    ) -> ItemPage:
        """A page of deployments, the newest first: those of a project by id, those of all by their last change."""
        if filters.project_id is not None:
            pk, index, order = deployments_pk(integration_id, filters.project_id), None, "sk"
        else:
            pk, index, order = deployment_feed(integration_id), BY_CHANGE, f"{BY_CHANGE}_sk"

        def read(position: str | None, most: int) -> Rows:
            rows = self._table.query(pk, after=position, limit=most, forward=False, index=index)
            return replace(rows, items=self._with_tiers(integration_id, rows.items))

        return filtered(read, filters.test(within), limit=limit, after=after, order=order)

    def environments(
        self, integration_id: str, *, project_id: int | None, tier: str | None, state: str | None, limit: int,
        after: str | None, within: set[int] | None,
    ) -> ItemPage:  # fmt: skip
        """A page of environments, by project and id."""
        prefix = "" if project_id is None else f"{padded(project_id)}#"

        def read(position: str | None, most: int) -> Rows:
            return self._table.query(environments_pk(integration_id), prefix=prefix, after=position, limit=most)

        def wanted(item: Item) -> bool:
            is_within = within is None or item["project_id"] in within
            return is_within and tier in {None, item["tier"]} and state in {None, item["state"]}

        return filtered(read, wanted, limit=limit, after=after, order="sk")

    def _with_tiers(self, integration_id: str, rows: Sequence[Item]) -> list[Item]:
        """Deployments with the tier that their environment has today."""
        pk = environments_pk(integration_id)
        places = {(row["project_id"], row["environment_id"]) for row in rows}
        keys = [(pk, f"{padded(project)}#{padded(number)}") for project, number in sorted(places)]
        found = self._table.get_many(keys, attributes=("project_id", "id", "tier")) if keys else []
        tiers = {(item["project_id"], item["id"]): item["tier"] for item in found}
        return [{**row, "tier": tiers.get((row["project_id"], row["environment_id"]))} for row in rows]
