"""The body of the operation that revokes a token or key."""

from typing import Annotated, Literal, Self

from pydantic import Field, StrictInt, model_validator

from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.operation import Kind, Operation
from gitlab_hub.provisioning.request_fields import AccountId, ResourceBody
from gitlab_hub.web.rules import rule
from gitlab_hub.web.validation import RequestBody

_ONLY_IN = {
    CredentialKind.GROUP_TOKEN: ResourceType.GROUP,
    CredentialKind.PROJECT_TOKEN: ResourceType.PROJECT,
    CredentialKind.DEPLOY_KEY: ResourceType.PROJECT,
}
_NOWHERE = frozenset({CredentialKind.PERSONAL_TOKEN, CredentialKind.IMPERSONATION_TOKEN, CredentialKind.SSH_KEY})


class RevokeCredentialBody(RequestBody):
    """Revoke a token, or delete a deploy token or a key, for good. Of a deploy key one project is let go."""

    op: Literal["revoke_credential"]
    kind: Annotated[CredentialKind, Field(description="What it is, as in the inventory of tokens and keys.")]
    id: Annotated[StrictInt, Field(ge=1, le=MAX_ID, description="GitLab's id of it.", examples=[7])]
    account_id: Annotated[
        AccountId | None, Field(description="Whom it acts as; left out, the inventory is asked.", examples=[42])
    ] = None
    resource: Annotated[
        ResourceBody | None, Field(description="What it was made for; left out, the inventory is asked.")
    ] = None

    @property
    def operation(self) -> Operation:
        """What is asked for."""
        return Operation(
            kind=Kind.REVOKE_CREDENTIAL,
            credential_kind=str(self.kind),
            credential_id=self.id,
            account_id=self.account_id or 0,
            **({} if self.resource is None else self.resource.place),
        )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.kind is CredentialKind.DEPLOY_KEY and self.resource is None:
            raise rule("needs the resource that the deploy key is to be taken from")
        if self.resource is not None and self.kind in _NOWHERE:
            raise rule("belongs to an account, and takes no resource")
        if self.resource is not None and self.resource.type is not _ONLY_IN.get(self.kind, self.resource.type):
            raise rule(f"belongs to a {_ONLY_IN[self.kind]}")
        return self
