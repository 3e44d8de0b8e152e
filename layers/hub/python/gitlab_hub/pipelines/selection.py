"""Which projects a group means: the access sync knows groups, the pipelines sync knows projects."""

from collections.abc import Iterable, Iterator

from gitlab_hub.errors import NotFound
from gitlab_hub.gitlab.fields import is_below, padded
from gitlab_hub.inventory.model import ResourceType, partition
from gitlab_hub.pipelines.keys import projects_pk
from gitlab_hub.storage.ports import Item, Table
from gitlab_hub.storage.rows import query_all

Projects = dict[int, str]
"""Project → its full path."""

_NAMES = ("id", "path_with_namespace", "gone_at")


class ProjectSelection:
    """The projects of integrations. Every call reads as many small rows as there are projects."""

    def __init__(self, table: Table, groups: Table) -> None:
        """Read projects in the table of pipelines, groups in that of access."""
        self._table, self._groups = table, groups

    def below(self, integration_id: str, group_id: int) -> Projects:
        """The projects below a group, gone ones too. Raises NotFound where the hub knows no such group."""
        group = self._groups.get(partition(integration_id, ResourceType.GROUP.collection), padded(group_id))
        if group is None:
            raise NotFound("There is no such group.")
        path = str(group["full_path"])
        found = _paths(self._items(integration_id))
        return {number: full_path for number, full_path in found.items() if is_below(full_path, path)}

    def within(self, integration_id: str, group_id: int | None) -> set[int] | None:
        """The projects below a group, None where no group is named. Raises NotFound."""
        return None if group_id is None else set(self.below(integration_id, group_id))

    def here(self, integration_id: str) -> Projects:
        """The projects that GitLab lists."""
        return _paths(item for item in self._items(integration_id) if "gone_at" not in item)

    def some(self, integration_id: str, ids: Iterable[int]) -> Projects:
        """Those of these projects that are known."""
        keys = [(projects_pk(integration_id), padded(number)) for number in ids]
        return _paths(self._table.get_many(keys, attributes=_NAMES))

    def _items(self, integration_id: str) -> Iterator[Item]:
        return query_all(self._table, projects_pk(integration_id), attributes=_NAMES)


def default_branches(table: Table, integration_id: str, ids: Iterable[int]) -> dict[int, str | None]:
    """The default branches of those of these projects that are known."""
    keys = [(projects_pk(integration_id), padded(number)) for number in sorted(ids)]
    return {
        item["id"]: item.get("default_branch") for item in table.get_many(keys, attributes=("id", "default_branch"))
    }


def _paths(items: Iterable[Item]) -> Projects:
    return {item["id"]: str(item.get("path_with_namespace") or "") for item in items}
