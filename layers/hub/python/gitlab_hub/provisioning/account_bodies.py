"""The bodies of operations about accounts themselves."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StrictBool, StringConstraints, model_validator

from gitlab_hub.provisioning.operation import Kind, Operation
from gitlab_hub.provisioning.request_fields import AccountId, Email, ResourceBody
from gitlab_hub.web.rules import rule
from gitlab_hub.web.validation import RequestBody

_Word = StringConstraints(strip_whitespace=True, min_length=1, max_length=255)


class _AccountBody(RequestBody):
    """What is about an account, and about no group or project."""

    resource: ClassVar[ResourceBody | None] = None
    account_id: AccountId


class BlockBody(_AccountBody):
    """Keep an account from signing in, with all its tokens and keys; what it has stays. Administrators only."""

    op: Literal["block"]

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(kind=Kind.BLOCK, account_id=self.account_id)


class UnblockBody(_AccountBody):
    """Let an account in again that was blocked. Administrators only."""

    op: Literal["unblock"]

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(kind=Kind.UNBLOCK, account_id=self.account_id)


class DeactivateBody(_AccountBody):
    """Deactivate an account that nobody has used for 90 days, until it signs in again. Administrators only."""

    op: Literal["deactivate"]

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(kind=Kind.DEACTIVATE, account_id=self.account_id)


class ActivateBody(_AccountBody):
    """Activate an account that was deactivated. Administrators only."""

    op: Literal["activate"]

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(kind=Kind.ACTIVATE, account_id=self.account_id)


class DeleteAccountBody(_AccountBody):
    """Delete an account for good, with the projects in its own namespace. Administrators only."""

    op: Literal["delete_account"]

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(kind=Kind.DELETE_ACCOUNT, account_id=self.account_id)


class CreateAccountBody(RequestBody):
    """Make an account; GitLab mails a link to choose a password. Administrators only."""

    resource: ClassVar[ResourceBody | None] = None
    op: Literal["create_account"]
    email: Annotated[Email, Field(description="The person's address; GitLab's mail goes there.")]
    username: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]*$", max_length=255),
        Field(description="The new username.", examples=["ana"]),
    ]
    name: Annotated[str, _Word, Field(description="The person's name.", examples=["Ana Lima"])]
    external: Annotated[
        StrictBool | None, Field(description="Whether it sees only what it is a member of; left out, GitLab decides.")
    ] = None
    provider: Annotated[
        str | None, _Word, Field(description="Name of the provider that it signs in by.", examples=["saml"])
    ] = None
    extern_uid: Annotated[
        str | None, _Word, Field(description="What that provider knows it by.", examples=["ana@example.com"])
    ] = None

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(
            kind=Kind.CREATE_ACCOUNT,
            email=self.email,
            username=self.username,
            name=self.name,
            external=self.external,
            provider=self.provider,
            extern_uid=self.extern_uid,
        )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.provider is None) != (self.extern_uid is None):
            raise rule("needs provider and extern_uid together, or neither")
        return self


class OffboardBody(_AccountBody):
    """End everything that somebody has: block, take the direct memberships away, delete last if asked for.

    Without an administrator's token: remove them from the whole top-level group of the integration.
    """

    op: Literal["offboard"]
    delete: Annotated[StrictBool, Field(description="Whether the account is deleted at the end, for good.")] = False

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(kind=Kind.OFFBOARD, account_id=self.account_id, deletes=self.delete)


AccountBody = (
    BlockBody | UnblockBody | DeactivateBody | ActivateBody | DeleteAccountBody | CreateAccountBody | OffboardBody
)
