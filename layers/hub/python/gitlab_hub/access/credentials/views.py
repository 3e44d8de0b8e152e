"""What callers get to see of tokens and keys: an allow-list, and nothing that opens anything."""

from collections import defaultdict
from collections.abc import Iterable

from pydantic import BaseModel

from gitlab_hub.access.credentials.model import KIND_OF_STAGE, CredentialStatus
from gitlab_hub.access.credentials.reader import Judged
from gitlab_hub.access.credentials.risks import Risk
from gitlab_hub.access.grant_views import ResourceAnswer
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.gitlab.roles import role_name
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.sync.scope_list import ListedScope

_SETTINGS = {
    CredentialKind.GROUP_TOKEN: "access_tokens",
    CredentialKind.PROJECT_TOKEN: "access_tokens",
    CredentialKind.SERVICE_ACCOUNT_TOKEN: "service_accounts",
    CredentialKind.DEPLOY_TOKEN: "repository",
    CredentialKind.DEPLOY_KEY: "repository",
}
"""Where GitLab lists what was made for a group or project, below its settings."""


class GitLabCredentialAnswer(BaseModel):
    """A token or key that reaches the GitLab, and what is risky about it."""

    kind: CredentialKind
    id: int
    name: str
    account_id: int | None
    username: str | None
    resource: ResourceAnswer | None
    scopes: list[str]
    granular: bool
    access_level: int | None
    role: str | None
    can_push: bool | None
    created_at: int | None
    last_used_at: int | None
    expires_at: int | None
    status: CredentialStatus
    risks: list[Risk]
    is_hub: bool
    fingerprint: str | None
    web_url: str | None

    @classmethod
    def of(cls, judged: Judged, *, now: float) -> "GitLabCredentialAnswer":
        """Show a credential; the path of its group or project is None while that itself has not been read."""
        one, resource = judged.credential, None
        if one.resource_type is not None and one.resource_id is not None:
            path = judged.resource.full_path if judged.resource else None
            resource = ResourceAnswer(type=ResourceType(one.resource_type), id=one.resource_id, full_path=path)
        return cls(
            kind=CredentialKind(one.kind),
            id=one.id,
            name=one.name,
            account_id=one.account_id,
            username=judged.account.username if judged.account else None,
            resource=resource,
            scopes=one.scopes,
            granular=one.granular,
            access_level=one.access_level,
            role=None if one.access_level is None else role_name(one.access_level),
            can_push=one.can_push,
            created_at=one.created_at,
            last_used_at=one.last_used_at,
            expires_at=one.ends_at,
            status=one.status(now),
            risks=list(judged.risks),
            is_hub=judged.is_hub,
            fingerprint=one.fingerprint,
            web_url=_page_of(judged),
        )


class UnseenAnswer(BaseModel):
    """A kind of credentials that the token is not shown, or not all of, and what would show them."""

    kind: CredentialKind
    reason: str


class GitLabCredentialList(BaseModel):
    """A page of credentials, what of them is not seen, and when they were read."""

    gitlab_credentials: list[GitLabCredentialAnswer]
    unseen: list[UnseenAnswer]
    next_cursor: str | None
    read_at: int | None


def unseen(notes: Iterable[ListedScope]) -> list[UnseenAnswer]:
    """Say of each kind once why some of it is not seen: of all that is not shown, then of single sources; pure."""
    reasons: defaultdict[CredentialKind, list[str]] = defaultdict(list)
    single: defaultdict[CredentialKind, list[ListedScope]] = defaultdict(list)
    for note in notes:
        kind = KIND_OF_STAGE.get(note.stage)
        if kind is None:
            continue
        if note.key.isdecimal():
            single[kind].append(note)
        elif note.reason not in reasons[kind]:
            reasons[kind].append(note.reason)
    for kind, some in single.items():
        name = (some[0].resource or {}).get("full_path") or f"account {int(some[0].key)}"
        others = f", and {len(some) - 1} more" if some[1:] else ""
        reasons[kind].append(f"Not read: {name} ({some[0].reason}){others}; GET …/scopes?kind=credentials lists them.")
    return [UnseenAnswer(kind=kind, reason=" ".join(reasons[kind])) for kind in CredentialKind if reasons.get(kind)]


def _page_of(judged: Judged) -> str | None:
    """Where people find it in GitLab: the settings of its group or project, else the page of its account."""
    where = _SETTINGS.get(CredentialKind(judged.credential.kind))
    if judged.resource is not None and judged.resource.web_url and where is not None:
        return f"{judged.resource.web_url}/-/settings/{where}"
    return judged.account.web_url if judged.account else None
