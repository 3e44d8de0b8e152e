"""Where projects lie: the groups above each one, by their ids.

Paths change when somebody renames or moves a group; ids do not. A webhook's body has a project's id and its path of
that moment, so the groups above it are asked of GitLab, and kept for as long as the project's path stays the same, a
day at most.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from gitlab_hub.errors import HubError
from gitlab_hub.gitlab.errors import Forbidden, ResourceNotFound
from gitlab_hub.gitlab.fields import first_id, first_text, mapping, part
from gitlab_hub.storage.ports import Item, Table

if TYPE_CHECKING:
    from gitlab_hub.gitlab.client import GitLab
    from gitlab_hub.gitlab.clients import GitLabs

SCHEMA = 1
FRESH_SECONDS = 86_400
KEPT_SECONDS = 30 * 86_400
ANSWER_SECONDS = 5.0
DEEPEST = 20
"""Levels of groups that GitLab allows (docs: user/group/subgroups)."""
_MOST_KEPT = 1_000

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Group:
    """A group as it is called at the moment."""

    id: int
    full_path: str


@dataclass(frozen=True, slots=True)
class Ancestors:
    """A project's full path, and the groups above it, the nearest first; `complete`: these are all of them."""

    path: str
    groups: tuple[Group, ...]
    complete: bool

    def group(self, group_id: int) -> Group | None:
        """The group of this id, if the project lies below it."""
        return next((group for group in self.groups if group.id == group_id), None)


class GroupResolver:
    """Says where projects and groups lie. None = GitLab cannot say at the moment, and nobody knows from before."""

    def __init__(self, table: Table, gitlabs: "GitLabs", now: Callable[[], float]) -> None:
        self._table, self._gitlabs, self._now = table, gitlabs, now
        self._kept: dict[tuple[str, str], Item] = {}

    def project_ancestors(self, integration_id: str, project_id: int, path: str | None = None) -> Ancestors | None:
        """The groups above a project; `path`: where it lies, as an event says that has just come."""
        name = f"PLACE#PROJECT#{project_id}"
        known = self._known(integration_id, name)
        if known is None or not self._is_fresh(known) or not _is_same(path, known["path"]):
            found = self._ask(integration_id, lambda gitlab: read_project_ancestors(gitlab, project_id))
            if found is not None:
                groups = [[group.id, group.full_path] for group in found.groups]
                known = self._keep(
                    integration_id, name, {"path": found.path, "groups": groups, "whole": found.complete}
                )
        if known is None:
            return None
        return Ancestors(known["path"], tuple(Group(*each) for each in known["groups"]), known["whole"])

    def group(self, integration_id: str, group_id: int) -> Group | None:
        """A group as it is called now; what it was called a day ago will do."""
        name = f"PLACE#GROUP#{group_id}"
        known = self._known(integration_id, name)
        if known is None or not self._is_fresh(known):
            found = self._ask(integration_id, lambda gitlab: read_group(gitlab, group_id))
            if found is not None:
                known = self._keep(integration_id, name, {"path": found.full_path})
        return None if known is None else Group(group_id, known["path"])

    def group_by_path(self, integration_id: str, path: str) -> Group | None:
        """The group that has a path now. Raises ResourceNotFound where GitLab has none for this token."""
        return self._ask(integration_id, lambda gitlab: read_group(gitlab, path), tell_missing=True)

    def group_ancestors(self, integration_id: str, group_id: int) -> tuple[Group, ...] | None:
        """A group and those above it, the nearest first, as far as the token sees them."""
        return self._ask(integration_id, lambda gitlab: read_group_ancestors(gitlab, group_id))

    def project(self, integration_id: str, project_id: int) -> Ancestors | None:
        """Where a project lies at this moment. Raises ResourceNotFound where GitLab has none for this token."""
        return self._ask(integration_id, lambda gitlab: read_project_ancestors(gitlab, project_id), tell_missing=True)

    def _ask(
        self, integration_id: str, ask: Callable[["GitLab"], Awaitable[Answer]], *, tell_missing: bool = False
    ) -> Answer | None:
        connection = self._gitlabs.connection(integration_id)
        if connection is None or connection.paused or not connection.credential_works:
            return None

        async def asked() -> Answer:
            async with asyncio.timeout(ANSWER_SECONDS), self._gitlabs.open(connection) as gitlab:
                return await ask(gitlab)

        try:
            return asyncio.run(asked())
        except ResourceNotFound:
            if tell_missing:
                raise
        except (HubError, TimeoutError):
            pass
        return None

    def _known(self, integration_id: str, name: str) -> Item | None:
        return self._kept.get((integration_id, name)) or self._table.get(f"INTEGRATION#{integration_id}", name)

    def _keep(self, integration_id: str, name: str, facts: Item) -> Item:
        now = int(self._now())
        row = {"pk": f"INTEGRATION#{integration_id}", "sk": name, "schema_version": SCHEMA, **facts}
        row |= {"read_at": now, "expires_at": now + KEPT_SECONDS}
        self._table.put(row)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[integration_id, name] = row
        return row

    def _is_fresh(self, row: Mapping[str, Any]) -> bool:
        return self._now() < int(row["read_at"]) + FRESH_SECONDS


async def read_project_ancestors(gitlab: "GitLab", project_id: int) -> Ancestors:
    """Ask for a project and for one group after the other above it. Raises GitLabErrors."""
    body = mapping((await gitlab.get(f"/projects/{project_id}")).body)
    path, namespace = first_text(body, "path_with_namespace"), part(body, "namespace")
    if path is None:
        raise ResourceNotFound("GitLab's answer is no project.")
    if first_text(namespace, "kind") == "user":
        return Ancestors(path, (), complete=True)
    groups, whole = await _climbed(gitlab, namespace)
    return Ancestors(path, groups, whole)


async def read_group_ancestors(gitlab: "GitLab", group_id: int) -> tuple[Group, ...]:
    """Ask for a group and for one after the other above it, as far as the token sees them. Raises GitLabErrors."""
    body = (await gitlab.get(f"/groups/{group_id}", {"with_projects": False})).body
    return (await _climbed(gitlab, mapping(body)))[0]


async def _climbed(gitlab: "GitLab", row: Mapping[str, Any]) -> tuple[tuple[Group, ...], bool]:
    """The groups from a row upwards, and whether these are all."""
    groups: list[Group] = []
    while (group := _group_of(row)) is not None and len(groups) < DEEPEST:
        groups.append(group)
        parent = first_id(row, "parent_id")
        if parent is None and "parent_id" in row:
            return tuple(groups), True
        try:
            row = mapping((await gitlab.get(f"/groups/{parent or group.id}", {"with_projects": False})).body)
        except (ResourceNotFound, Forbidden):
            break  # The token's user is in a group below, and does not see this one.
        if parent is None:  # It was not said which: the group itself knows.
            groups.pop()
            if "parent_id" not in row:
                return (*groups, group), False
    return tuple(groups), False


async def read_group(gitlab: "GitLab", name: int | str) -> Group:
    """Ask for a group by its id or full path. Raises GitLabErrors."""
    from gitlab_hub.gitlab.messages import segment  # noqa: PLC0415 - only whoever asks needs it

    body = (await gitlab.get(f"/groups/{segment(str(name))}", {"with_projects": False})).body
    found = _group_of(mapping(body))
    if found is None:
        raise ResourceNotFound("GitLab's answer is no group.")
    return found


def _group_of(row: Mapping[str, Any]) -> Group | None:
    group_id, path = first_id(row, "id"), first_text(row, "full_path")
    return None if group_id is None or path is None else Group(group_id, path)


def _is_same(path: str | None, known: str) -> bool:
    return path is None or path.lower() == known.lower()
