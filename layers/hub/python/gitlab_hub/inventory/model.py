"""Groups and projects as the hub keeps them, and how they are read from GitLab's rows.

Pure: no clock, no store, and nothing kept that the hub does not need. Times are unix seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypedDict, TypeVar

from gitlab_hub.gitlab.fields import (
    GitLabRow,
    day,
    flag,
    midnight,
    number,
    part,
    seconds,
    strict_number,
    strict_rows,
    strict_text,
    text,
)

T = TypeVar("T")


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
    """A group or a project. A project's `parent_id` is its group, None in a personal namespace.

    None is unknown, or nothing: GitLab tells the locks of groups only, and an owner of personal projects only.
    """

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
    share_with_group_lock: bool | None = None
    """Whether the projects of this group may not be shared with groups."""
    membership_lock: bool | None = None
    """Whether nobody may be added to the projects of this group."""
    marked_for_deletion_on: str | None = None
    """The ISO date on which somebody asked for its deletion; GitLab carries that out some days later."""
    owner_id: int | None = None
    """Whose personal namespace the project lies in."""


def group_of(row: GitLabRow, stored: Resource | None = None) -> Resource:
    """Read a group; what rows of lists do not have stays as it was stored: see `with_own_page`."""
    return Resource(
        full_path=strict_text(row, "full_path"),
        parent_id=number(row.get("parent_id")),
        share_with_group_lock=_told(row, "share_with_group_lock", flag, stored),
        membership_lock=_told(row, "membership_lock", flag, stored),
        **_common(row, stored),
    )


def with_own_page(group: Resource, page: GitLabRow) -> Resource:
    """A stored group with what only its own page tells (`GET /groups/:id`), which is not taken whole.

    The groups it is shared with (lib/api/entities/group_detail.rb) and, where GitLab is an Enterprise Edition, the lock
    of memberships (ee/lib/ee/api/entities/group_detail.rb).
    """
    lock = _told(page, "membership_lock", flag, group)
    shares = shares_of(page) if "shared_with_groups" in page else group.shared_with
    return replace(group, membership_lock=lock, shared_with=shares)


def project_of(row: GitLabRow, stored: Resource | None = None) -> Resource:
    """Read a project. Its last activity, stars and sizes change daily: left out.

    Only a full row of a project outside of groups has an `owner` (lib/api/entities/project.rb).
    """
    namespace = part(row, "namespace")
    is_in_group = namespace.get("kind") == "group"
    return Resource(
        full_path=strict_text(row, "path_with_namespace"),
        parent_id=number(namespace.get("id")) if is_in_group else None,
        default_branch=text(row.get("default_branch")),
        owner_id=None if is_in_group else _owner_id(row, stored),
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


def _owner_id(row: GitLabRow, stored: Resource | None) -> int | None:
    if "owner" in row:
        return number(part(row, "owner").get("id"))
    return stored.owner_id if stored else None


def _told(row: GitLabRow, name: str, read: Callable[[Any], T | None], stored: Resource | None) -> T | None:
    """A field that some rows lack: what this one says of it, else what was stored. Never guessed."""
    if name in row:
        return read(row[name])
    return None if stored is None else getattr(stored, name)


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
        # In rows of groups always since 18.0, before and in rows of projects where the license has delayed deletion
        # (lib/api/entities/group.rb, ee/lib/ee/api/entities/project.rb).
        "marked_for_deletion_on": _told(row, "marked_for_deletion_on", day, stored),
    }
