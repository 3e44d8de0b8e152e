"""Tokens and keys as the inventory lists them, as operations that revoke them. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gitlab_hub.errors import NotInGitLab
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.operation import Kind, Operation

OF_RESOURCE = frozenset({CredentialKind.GROUP_TOKEN, CredentialKind.PROJECT_TOKEN, CredentialKind.DEPLOY_TOKEN})
OF_ACCOUNT = frozenset(
    {CredentialKind.SSH_KEY, CredentialKind.IMPERSONATION_TOKEN, CredentialKind.SERVICE_ACCOUNT_TOKEN}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A token or key of the inventory: the account that it acts as, and the group or project that it was made for."""

    kind: CredentialKind
    id: int
    account_id: int | None = None
    resource_type: ResourceType | None = None
    resource_id: int | None = None


def revocation_of(listed: Listed) -> Operation:
    """The operation that revokes what is listed."""
    has_place = listed.resource_type is not None and listed.resource_id is not None
    return Operation(
        kind=Kind.REVOKE_CREDENTIAL,
        credential_kind=str(listed.kind),
        credential_id=listed.id,
        account_id=listed.account_id or 0,
        resource_type=listed.resource_type if has_place else None,
        resource_id=(listed.resource_id or 0) if has_place else 0,
    )


def located(operation: Operation, find: Callable[[CredentialKind, int], Sequence[Listed]]) -> Operation:
    """An operation with whose, or where, its token or key is, as far as it does not say so itself.

    `find`: those of a kind and an id in the inventory. Raises NotInGitLab where it takes that to find it in GitLab.
    """
    if operation.credential_kind is None:
        return operation
    kind = CredentialKind(operation.credential_kind)
    is_placeless = kind in OF_RESOURCE and operation.resource_type is None
    is_nobodys = kind in OF_ACCOUNT and not operation.account_id
    if not is_placeless and not is_nobodys and kind is not CredentialKind.PERSONAL_TOKEN:
        return operation
    if kind is CredentialKind.PERSONAL_TOKEN and operation.account_id:
        return operation
    fitting = (one for one in find(kind, operation.credential_id) if _fits(operation, one))
    found = next(fitting, None)
    if found is not None:
        known = revocation_of(found)
        return replace(
            known,
            account_id=operation.account_id or known.account_id,
            resource_type=operation.resource_type or known.resource_type,
            resource_id=operation.resource_id or known.resource_id,
        )
    if kind is CredentialKind.PERSONAL_TOKEN:
        return operation  # To administrators GitLab says whose it is.
    named = "its resource" if is_placeless else "its account_id (of a service account also the group, as its resource)"
    raise NotInGitLab(f"The inventory has no {kind.replace('_', ' ')} {operation.credential_id}. Name {named}.")


def _fits(operation: Operation, listed: Listed) -> bool:
    is_there = operation.resource_type is None or operation.where == (listed.resource_type, listed.resource_id)
    return is_there and operation.account_id in {0, listed.account_id or 0}
