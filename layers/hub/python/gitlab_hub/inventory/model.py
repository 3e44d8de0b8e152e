"""Groups and projects as the hub keeps them, and how they are read from GitLab's rows.

Pure: no clock, no store, and nothing kept that the hub does not need. Times are unix seconds.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypedDict

from gitlab_hub.gitlab.fields import (
    GitLabRow,
    midnight,
    number,
    part,
    seconds,
    strict_number,
    strict_rows,
    strict_text,
    text,
)


class ResourceType(StrEnum):
    """What GitLab arranges its contents in, and access is given to."""

    GROUP = "group"
    PROJECT = "project"

    @property
    def collection(self) -> str:
        """The name of all of them, in GitLab's paths and in ours."""
        return f"{self}s"


ALL = "all"
"""The one scope of a collection that is listed as a whole."""


def partition(integration_id: str, collection: str) -> str:
    """Name the partition that holds one collection of an integration."""
    return f"{integration_id}#{collection}"


class Share(TypedDict):
    """A group that was invited into a group or project, with the most its members can get by that."""

    group_id: int
    full_path: str
    access_level: int
    ends_at: int | None
    member_role_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A group or a project. A project's `parent_id` is its group, None in a personal namespace."""

    id: int
    full_path: str
    name: str
    parent_id: int | None = None
    visibility: str | None = None
    archived: bool = False
    web_url: str | None = None
    created_at: int | None = None
    default_branch: str | None = None
    shared_with: list[Share] = field(default_factory=list)


def group_of(row: GitLabRow, stored: Resource | None = None) -> Resource:
    """Read a group; rows of lists do not have its shares, which then stay as they were stored."""
    return Resource(
        full_path=strict_text(row, "full_path"),
        parent_id=number(row.get("parent_id")),
        **_common(row, stored),
    )


def project_of(row: GitLabRow, stored: Resource | None = None) -> Resource:
    """Read a project. Its last activity, stars and sizes change daily: left out."""
    namespace = part(row, "namespace")
    return Resource(
        full_path=strict_text(row, "path_with_namespace"),
        parent_id=number(namespace.get("id")) if namespace.get("kind") == "group" else None,
        default_branch=text(row.get("default_branch")),
        **_common(row, stored),
    )


def shares_of(row: GitLabRow) -> list[Share]:
    """Read the groups invited into a group or project, in an order of our own: GitLab's is not stable."""
    return sorted(
        (_share(share) for share in strict_rows(row, "shared_with_groups")), key=lambda share: share["group_id"]
    )


def _share(row: GitLabRow) -> Share:
    return Share(
        group_id=strict_number(row, "group_id"),
        full_path=text(row.get("group_full_path")) or "",
        access_level=strict_number(row, "group_access_level"),
        ends_at=midnight(row.get("expires_at")),
        member_role_id=number(row.get("member_role_id")),
    )


def _common(row: GitLabRow, stored: Resource | None) -> dict[str, Any]:
    known = stored.shared_with if stored else []
    return {
        "id": strict_number(row, "id"),
        "name": text(row.get("name")) or "",
        "visibility": text(row.get("visibility")),
        "archived": bool(row.get("archived")),
        "web_url": text(row.get("web_url")),
        "created_at": seconds(row.get("created_at")),
        "shared_with": shares_of(row) if "shared_with_groups" in row else known,
    }
