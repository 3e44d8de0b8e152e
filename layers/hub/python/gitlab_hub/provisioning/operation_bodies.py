"""The bodies of operations: what each may be asked for with."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictInt, model_validator

from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.gitlab.roles import MINIMAL_ACCESS
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.account_bodies import AccountBody
from gitlab_hub.provisioning.credential_bodies import RevokeCredentialBody
from gitlab_hub.provisioning.operation import Kind, Mode, Operation, day_after
from gitlab_hub.provisioning.request_fields import AccountId, Day, Email, GroupId, Level, ResourceBody, iso
from gitlab_hub.web.rules import rule
from gitlab_hub.web.validation import RequestBody


class GrantBody(RequestBody):
    """Give an account a level in a group or project."""

    op: Literal["grant"]
    account_id: AccountId
    resource: Annotated[ResourceBody, Field(description="Where.")]
    access_level: Annotated[Level, Field(description="The level to have.")]
    mode: Annotated[
        Mode,
        Field(description="ensure_at_least leaves whoever has more; set_exactly also lowers, and sets the end."),
    ] = Mode.AT_LEAST
    expires_at: Day | None = None
    until: Annotated[
        StrictInt | None,
        Field(
            ge=1,
            le=10**11,
            description="In the place of expires_at: until when, in unix seconds. The hub ends it at that minute.",
            examples=[1790000000],
        ),
    ] = None
    member_role_id: Annotated[
        StrictInt | None, Field(ge=1, le=MAX_ID, description="Custom role on top of the level.", examples=[7])
    ] = None

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(
            kind=Kind.GRANT,
            account_id=self.account_id,
            **self.resource.place,
            access_level=self.access_level,
            mode=str(self.mode),
            expires_on=iso(self.expires_at) if self.until is None else day_after(self.until),
            until=self.until,
            member_role_id=self.member_role_id,
        )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _check_level(self.resource, self.access_level)
        if self.until is not None and self.expires_at is not None:
            raise rule("takes expires_at or until, not both")
        if self.until is not None and self.mode is Mode.EXACTLY:
            # Whoever has more would lose it all on GitLab's own day if the hub could not give it back.
            raise rule("takes until with mode ensure_at_least only")
        return self


class RevokeBody(RequestBody):
    """Take the direct membership of an account in a group or project away; those below it stay."""

    op: Literal["revoke"]
    account_id: AccountId
    resource: Annotated[ResourceBody, Field(description="Where.")]
    expected_level: Annotated[
        Level | None, Field(description="The level that it is thought to be; where it is another, nothing is done.")
    ] = None

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(
            kind=Kind.REVOKE,
            account_id=self.account_id,
            **self.resource.place,
            expected_level=self.expected_level,
        )


class ShareBody(RequestBody):
    """Invite a group into a group or project, so that its members have access there."""

    op: Literal["share"]
    group_id: GroupId
    resource: Annotated[ResourceBody, Field(description="Where.")]
    access_level: Annotated[Level, Field(description="The most that its members have there.")]
    expires_at: Day | None = None

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(
            kind=Kind.SHARE,
            group_id=self.group_id,
            **self.resource.place,
            access_level=self.access_level,
            expires_on=iso(self.expires_at),
        )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.access_level == MINIMAL_ACCESS:
            raise rule("gives Minimal Access, which groups cannot be invited with")
        return self


class UnshareBody(RequestBody):
    """End the invitation of a group, and with it the access of its members by that way."""

    op: Literal["unshare"]
    group_id: GroupId
    resource: Annotated[ResourceBody, Field(description="Where.")]
    access_level: Annotated[
        Level | None, Field(description="The level that it is thought to be; where it is another, nothing is done.")
    ] = None

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(
            kind=Kind.UNSHARE,
            group_id=self.group_id,
            **self.resource.place,
            expected_level=self.access_level,
        )


class InviteBody(RequestBody):
    """Invite an address that has no account into a group or project; GitLab sends it a mail."""

    op: Literal["invite"]
    email: Email
    resource: Annotated[ResourceBody, Field(description="Where.")]
    access_level: Annotated[Level, Field(description="The level that whoever accepts is to have.")]
    expires_at: Day | None = None

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(
            kind=Kind.INVITE,
            email=self.email,
            **self.resource.place,
            access_level=self.access_level,
            expires_on=iso(self.expires_at),
        )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _check_level(self.resource, self.access_level)
        return self


class UpdateInvitationBody(RequestBody):
    """Change an invitation that nobody has accepted yet."""

    op: Literal["update_invitation"]
    email: Email
    resource: Annotated[ResourceBody, Field(description="Where.")]
    access_level: Annotated[Level, Field(description="The level that whoever accepts is to have.")]
    expires_at: Annotated[
        Day | None,
        Field(description="First day without the access, or its unix seconds; null lifts the end, left out it stays."),
    ] = None

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(
            kind=Kind.UPDATE_INVITATION,
            email=self.email,
            **self.resource.place,
            access_level=self.access_level,
            mode=str(Mode.EXACTLY) if "expires_at" in self.model_fields_set else None,
            expires_on=iso(self.expires_at),
        )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.access_level == MINIMAL_ACCESS:
            raise rule("gives Minimal Access, to which GitLab changes no invitation")
        return self


class CancelInvitationBody(RequestBody):
    """Take an invitation back that nobody has accepted yet."""

    op: Literal["cancel_invitation"]
    email: Email
    resource: Annotated[ResourceBody, Field(description="Where.")]

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(kind=Kind.CANCEL_INVITATION, email=self.email, **self.resource.place)


def _check_level(resource: ResourceBody, level: int) -> None:
    if resource.type is ResourceType.PROJECT and level == MINIMAL_ACCESS:
        raise rule("gives Minimal Access, which only groups have")


OperationBody = Annotated[
    GrantBody
    | RevokeBody
    | ShareBody
    | UnshareBody
    | InviteBody
    | UpdateInvitationBody
    | CancelInvitationBody
    | AccountBody
    | RevokeCredentialBody,
    Field(discriminator="op"),
]
"""Any of them."""
