"""What callers get to see of changes."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from gitlab_hub.access.changes.model import Author, ChangeKind, Entry
from gitlab_hub.access.grant_views import ResourceAnswer

_STATE = (
    "Of an account: username, name, kind, status, state, emails, identities, is_admin, is_auditor, external, "
    "two_factor_enabled. Of a grant: access_level, member_role, expires_at, membership_state, granted_at, granted_by. "
    "Of a share: group_id, full_path, access_level, expires_at, member_role_id. Of a group or project: full_path, "
    "name, parent_id (all that a move has), visibility, archived, membership_lock, share_with_group_lock, "
    "marked_for_deletion_on. Fields that were not kept at that time are missing."
)


class ChangeAnswer(BaseModel):
    """One change in who has what, noticed by comparing GitLab with what was stored."""

    id: Annotated[str, Field(description="Numbered within the integration.", examples=["chg_1234"])]
    at: Annotated[
        int,
        Field(
            description="When it happened, in unix seconds, as far as GitLab tells (when a membership began); "
            "else as noticed_at.",
            examples=[1790000000],
        ),
    ]
    noticed_at: Annotated[
        int,
        Field(
            description="When the hub noticed it, in unix seconds; never earlier than that of the change before.",
            examples=[1790000000],
        ),
    ]
    kind: Annotated[ChangeKind, Field(description="What happened to what.", examples=["grant_added"])]
    account_id: Annotated[int | None, Field(description="GitLab's id of the user; null: it is about none.")]
    resource: Annotated[
        ResourceAnswer | None,
        Field(description="The group or project, with its path at that time; null: it is about an account alone."),
    ]
    before: Annotated[dict[str, Any] | None, Field(description=f"What it was; null: it was not there. {_STATE}")]
    after: Annotated[
        dict[str, Any] | None,
        Field(
            description="What it became; null: it is gone. A group or project that came or moved has follows_parent "
            "too: whether its path follows that of its group, so that moves of the group are not told of it again."
        ),
    ]
    sync_id: Annotated[
        str | None,
        Field(description="The sync that noticed it; null: a hint between two syncs.", examples=["0a1b2c3d"]),
    ]
    by: Annotated[Author, Field(description="Who made it: the hub itself, or somebody in GitLab.", examples=["gitlab"])]
    audit_id: Annotated[
        str | None,
        Field(
            description="Line of the audit log about it; null where it was not made by the hub.",
            examples=["aud_1790000000123_0a1b2c3d"],
        ),
    ]

    @classmethod
    def of(cls, entry: Entry) -> "ChangeAnswer":
        """Show an entry of the feed."""
        change = entry.change
        return cls(
            id=f"chg_{entry.number}",
            at=entry.noticed_at if change.at is None else change.at,
            noticed_at=entry.noticed_at,
            kind=change.kind,
            account_id=change.account_id,
            resource=None if change.resource is None else ResourceAnswer(**change.resource),
            before=change.before,
            after=change.after,
            sync_id=entry.sync_id,
            by=entry.by,
            audit_id=entry.audit_id,
        )


class ChangeList(BaseModel):
    """A page of the feed. It may be short, even empty, and still have a next one."""

    changes: list[ChangeAnswer]
    next_cursor: str | None
    follow_cursor: Annotated[
        str,
        Field(
            description="Goes on behind this page like next_cursor, and is there at the end of the feed, too: "
            "call with it later for what has come since.",
            examples=["q83v…"],
        ),
    ]
