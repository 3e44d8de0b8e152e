"""Whether a token or key may be revoked, and how: decided by what was read live. Pure.

GitLab's own rules that shape this:

- A token that is revoked stays listed and is never good again (`revoke!` in app/models/personal_access_token.rb);
  deploy tokens and keys are deleted (lib/api/deploy_tokens.rb, deploy_keys.rb, users.rb). Nothing brings them back.
- Personal tokens are revoked by their user and by administrators (app/policies/personal_access_token_policy.rb), those
  of a group by its Owners, those of a project by its Maintainers (`destroy_resource_access_tokens` in
  app/policies/group_policy.rb and project_policy.rb), those of a service account by Owners of its group
  (ee/lib/api/group_service_accounts.rb). Deploy tokens: `destroy_deploy_token`, for Owners of a group, though its
  Maintainers read them. SSH keys and impersonation tokens of others: administrators (lib/api/users.rb).
- The bot of a group's or project's token stays a member. It can do nothing without a token, and 30 days after its last
  one ended a nightly job deletes it (app/services/resource_access_tokens/revoke_service.rb,
  app/workers/resource_access_tokens/inactive_tokens_deletion_cron_worker.rb); older releases deleted it at once.
- To rotate a token revokes it; its successor has another id (app/services/personal_access_tokens/rotate_service.rb).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gitlab_hub.gitlab.credential_kinds import (
    ACCESS_TOKENS,
    ANYWHERE,
    CredentialKind,
    path_in_resource,
    path_of_account,
)
from gitlab_hub.gitlab.fields import GitLabRow, first_id, midnight, seconds, text
from gitlab_hub.gitlab.roles import MAINTAINER, OWNER
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.facts import Hand, Person, Place
from gitlab_hub.provisioning.model import Call
from gitlab_hub.provisioning.operation import Operation
from gitlab_hub.provisioning.operations.base import Decision
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.states import CredentialState, CredentialStatus

REVOKED = CredentialState(status=CredentialStatus.REVOKED)
OF_ADMINISTRATORS = frozenset({CredentialKind.IMPERSONATION_TOKEN, CredentialKind.SSH_KEY})


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFacts:
    """What a revocation is decided by.

    `row`: what GitLab shows of the token or key, None where it shows none.
    `successor`: the id of the token that it was rotated to. `own_token`: the id of the token that the hub itself uses,
    None where GitLab does not tell. `own_level`: that of the token's user in the place.
    """

    place: Place | None = None
    person: Person | None = None
    row: GitLabRow | None = None
    own_level: int = 0
    own_token: int | None = None
    successor: int | None = None
    is_fresh: bool = True

    @property
    def name(self) -> str:
        """What people call it."""
        return "" if self.row is None else text(self.row.get("name")) or text(self.row.get("title")) or ""

    def holder(self, operation: Operation) -> int:
        """The account that it acts as, by GitLab's word before anybody else's; 0 for none."""
        return first_id(self.row or {}, "user_id") or operation.account_id


def decide(operation: Operation, facts: CredentialFacts, hand: Hand) -> Decision:
    """Decide about one revocation."""
    kind = CredentialKind(operation.credential_kind or "")
    if not is_read(operation, facts.place, facts.own_level, hand):
        refused = tuple(sorted(_unread(operation, facts, hand)))
        return Decision(before=None, after=None, refusals=refused, refusals_first=True)
    before = state_in(facts.row, kind, hand.now)
    is_active = before == CredentialState(status=CredentialStatus.ACTIVE)
    after = (REVOKED if kind in ACCESS_TOKENS else None) if is_active else before
    calls = (Call(method="DELETE", path=path_of(operation)),) if is_active else ()
    is_another = _is_another(operation, facts)
    found = {*_always(operation, facts, hand)} | ({Code.GRANT_CHANGED} if is_another else set())
    if calls and not hand.may_write:
        found.add(Code.TOKEN_SCOPE)
    return Decision(before=before, after=after, calls=calls, refusals=tuple(sorted(found)), refusals_first=is_another)


def state_in(row: GitLabRow | None, kind: CredentialKind, now: int) -> CredentialState | None:
    """What a token or key is good for, by GitLab's row of it; an access token that is gone is as good as revoked.

    Access tokens end with the first second of their last day (app/models/concerns/expirable.rb), others at a moment.
    """
    if row is None:
        return REVOKED if kind in ACCESS_TOKENS else None
    if row.get("revoked") is True:
        return REVOKED
    ends = midnight(row.get("expires_at")) if kind in ACCESS_TOKENS else seconds(row.get("expires_at"))
    is_over = ends is not None and ends <= now
    return CredentialState(status=CredentialStatus.EXPIRED if is_over else CredentialStatus.ACTIVE)


def is_read(operation: Operation, place: Place | None, own_level: int, hand: Hand) -> bool:
    """Whether the token's user may revoke it, and so is shown it."""
    kind = CredentialKind(operation.credential_kind or "")
    if kind in OF_ADMINISTRATORS:
        return hand.is_admin
    if kind is CredentialKind.PERSONAL_TOKEN or (kind is CredentialKind.SERVICE_ACCOUNT_TOKEN and place is None):
        return hand.is_admin or (bool(operation.account_id) and operation.account_id == hand.account_id)
    if place is None:
        return False
    return own_level >= (OWNER if place.type is ResourceType.GROUP else MAINTAINER)


def path_of(operation: Operation) -> str:
    """Where GitLab has it: what is read, and deleted."""
    return f"{list_of(operation)}/{operation.credential_id}"


def list_of(operation: Operation) -> str:
    """The list that it is in."""
    kind, resource_type = CredentialKind(operation.credential_kind or ""), operation.resource_type
    in_group = resource_type is ResourceType.GROUP
    if kind in OF_ADMINISTRATORS or (kind is CredentialKind.SERVICE_ACCOUNT_TOKEN and in_group):
        return path_of_account(kind, operation.account_id, group_id=operation.resource_id)
    if resource_type is None or kind is CredentialKind.SERVICE_ACCOUNT_TOKEN:
        return f"/{ANYWHERE}"
    return path_in_resource(kind, resource_type.collection, operation.resource_id)


def successor_in(rows: list[GitLabRow], row: GitLabRow, kind: CredentialKind) -> int | None:
    """The token among active ones that a revoked one was rotated to.

    A bot has one token after the other; a person's are told apart by their names and by when they were made.
    """
    same = ("user_id",) if kind in {CredentialKind.GROUP_TOKEN, CredentialKind.PROJECT_TOKEN} else ("user_id", "name")
    made = seconds(row.get("created_at")) or 0
    for one in rows:
        is_same = all(one.get(name) == row.get(name) for name in same)
        if is_same and one.get("id") != row.get("id") and (seconds(one.get("created_at")) or 0) >= made:
            return first_id(one, "id")
    return None


def _is_another(operation: Operation, facts: CredentialFacts) -> bool:
    """Whether what was meant lives on under another id, or the id is somebody else's."""
    holder = first_id(facts.row or {}, "user_id")
    return facts.successor is not None or (holder is not None and operation.account_id not in {0, holder})


def _unread(operation: Operation, facts: CredentialFacts, hand: Hand) -> set[Code]:
    """Why it could not even be looked at."""
    is_hidden = operation.resource_type is not None and facts.place is None
    if is_hidden or not facts.is_fresh:
        return {Code.STALE_DATA}
    if not hand.may_write:
        return {Code.TOKEN_SCOPE}
    is_machine = operation.credential_kind == CredentialKind.SERVICE_ACCOUNT_TOKEN and facts.place is None
    return {Code.NOT_SUPPORTED_HERE if is_machine else Code.NOT_OWNER}


def _always(operation: Operation, facts: CredentialFacts, hand: Hand) -> Iterator[Code]:
    if not facts.is_fresh:
        yield Code.STALE_DATA
    if _is_own(operation, facts, hand):
        yield Code.SELF_TARGET


def _is_own(operation: Operation, facts: CredentialFacts, hand: Hand) -> bool:
    """Whether the hub works with it, or its user does: of other integrations only the users are known for certain."""
    kind, holder = CredentialKind(operation.credential_kind or ""), facts.holder(operation)
    if kind is CredentialKind.SSH_KEY:
        return holder == hand.account_id or holder in hand.other_users
    if kind not in ACCESS_TOKENS:
        return False
    is_unsure = facts.own_token is None and holder == hand.account_id
    return is_unsure or operation.credential_id == facts.own_token or holder in hand.other_users
