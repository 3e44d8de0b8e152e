"""A token or key as the hub keeps it: what GitLab tells of it, never itself.

Times are unix seconds. A row lies at `<kind>#<source>#<id>`, whoever was allowed to read it and by which list: what an
administrator finds in one list of the instance, and what an Owner finds group by group, are the same rows.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.gitlab.fields import padded
from gitlab_hub.inventory.model import ResourceType

KIND_OF_STAGE = {
    **{str(kind): kind for kind in CredentialKind},
    "group_deploy_token": CredentialKind.DEPLOY_TOKEN,
    "project_deploy_token": CredentialKind.DEPLOY_TOKEN,
    "project_deploy_key": CredentialKind.DEPLOY_KEY,
}
"""What a stage of the sync reads that may be refused something."""


class CredentialStatus(StrEnum):
    """Whether a credential opens anything."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A token or key. None = GitLab does not tell, or there is none.

    `account_id`: whom it acts as. `resource_type` and `resource_id`: the one group or project that it was made for; a
    deploy key of several projects is one credential in each. `ends_at`: the first moment without it.
    """

    kind: CredentialKind
    id: int
    name: str = ""
    account_id: int | None = None
    resource_type: ResourceType | None = None
    resource_id: int | None = None
    scopes: list[str] = field(default_factory=list)
    granular: bool = False
    """Whether it is a fine-grained token, whose scopes say nothing."""
    access_level: int | None = None
    can_push: bool | None = None
    created_at: int | None = None
    last_used_at: int | None = None
    tells_use: bool = False
    """Whether GitLab says when it was used last; `last_used_at` is then None where that was never."""
    ends_at: int | None = None
    revoked: bool = False
    fingerprint: str | None = None
    """Of a key: it names the key, and opens nothing."""

    def status(self, now: float) -> CredentialStatus:
        """Whether it opens anything at a moment."""
        if self.revoked:
            return CredentialStatus.REVOKED
        is_over = self.ends_at is not None and self.ends_at <= now
        return CredentialStatus.EXPIRED if is_over else CredentialStatus.ACTIVE

    @property
    def source(self) -> str:
        """What it belongs to: its group or project, else its account, else nothing."""
        if self.resource_type is not None and self.resource_id is not None:
            return source_of(self.resource_type, self.resource_id)
        return NOWHERE if self.account_id is None else account_source(self.account_id)

    @property
    def key(self) -> str:
        """Where its row lies, which is also its position in lists."""
        return f"{scope_of(self.kind, self.source)}#{padded(self.id)}"


OF_ACCOUNT = "credentials_of"
NOWHERE = "none"
"""The source of what is tied to nothing that GitLab tells of."""

ACCOUNT = "account"


def source_of(resource_type: ResourceType, number: int) -> str:
    """Name a group or project as a source."""
    return f"{resource_type}#{padded(number)}"


def account_source(number: int) -> str:
    """Name an account as a source."""
    return f"{ACCOUNT}#{padded(number)}"


def scope_of(kind: CredentialKind, source: str | None = None) -> str:
    """Name the scope of a mirror: all credentials of a kind, or those of one source."""
    return str(kind) if source is None else f"{kind}#{source}"


def id_of(key: str) -> int:
    """The id that a row's key ends with."""
    return int(key.rpartition("#")[2])


def account_partition_of(integration_id: str, account_id: int) -> str:
    """Name the partition of the index `by_account` that has what acts as one account."""
    return f"{integration_id}#{OF_ACCOUNT}#{padded(account_id)}"
