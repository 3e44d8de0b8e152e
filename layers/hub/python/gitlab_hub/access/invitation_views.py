"""What callers get to see of invitations: an allow-list, and nothing that would let anybody in."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel

from gitlab_hub.access.grant_views import ResourceAnswer
from gitlab_hub.access.model import Invitation
from gitlab_hub.access.readings import InvitationReading
from gitlab_hub.gitlab.roles import role_name
from gitlab_hub.inventory.model import ResourceType


class InvitationAnswer(BaseModel):
    """Someone asked by email to join; `created_by` is a name. It is pending for as long as GitLab lists it."""

    email: str
    resource: ResourceAnswer
    access_level: int
    role: str
    expires_at: int | None
    created_at: int | None
    created_by: str | None
    status: Literal["pending"]

    @classmethod
    def of(cls, invitation: Invitation, full_path: str | None) -> "InvitationAnswer":
        """Show an invitation; the path is None while its group or project itself has not been read."""
        return cls(
            email=invitation.email,
            resource=ResourceAnswer(type=invitation.resource_type, id=invitation.resource_id, full_path=full_path),
            access_level=invitation.access_level,
            role=role_name(invitation.access_level),
            expires_at=invitation.ends_at,
            created_at=invitation.created_at,
            created_by=invitation.created_by,
            status="pending",
        )


class InvitationReadingAnswer(BaseModel):
    """How fresh the invitations to groups, or to projects, are."""

    read_at: int | None
    never_read: int | None

    @classmethod
    def of(cls, reading: InvitationReading) -> "InvitationReadingAnswer":
        """Show it."""
        return cls(read_at=reading.read_at, never_read=reading.never_read)


class InvitationReadings(BaseModel):
    """How fresh the invitations to groups are, and those to projects."""

    groups: InvitationReadingAnswer
    projects: InvitationReadingAnswer

    @classmethod
    def of(cls, readings: Mapping[ResourceType, InvitationReading]) -> "InvitationReadings":
        """Show both."""
        groups, projects = (InvitationReadingAnswer.of(readings[kind]) for kind in ResourceType)
        return cls(groups=groups, projects=projects)


class InvitationList(BaseModel):
    """A page of invitations, and when they were read."""

    invitations: list[InvitationAnswer]
    next_cursor: str | None
    read_at: int | None
    reading: InvitationReadings
