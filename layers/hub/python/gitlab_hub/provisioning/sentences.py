"""What an operation does, in a sentence that a person understands. Pure."""

from datetime import UTC, datetime

from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.gitlab.roles import role_name
from gitlab_hub.provisioning.operation import day_after
from gitlab_hub.provisioning.states import AccountState, CredentialState, Membership, State, membership_of


def change(
    who: str,
    where: str,
    before: State | None,
    after: State | None,
    *,
    is_change: bool,
    without: str = "",
    until: int | None = None,
) -> str:
    """Say who gets or loses what, where, and until when: "Ana Lima: Developer → Maintainer on platform/api".

    `without`: what is left where there is nothing here itself. `until`: when the hub ends it (unix seconds), before
    GitLab would.
    """
    before, after = membership_of(before), membership_of(after)
    nothing = without or "no access"
    if not is_change:
        return f"{who}: {_role(before) if before else nothing} on {where} already, nothing to do"
    ends = _end(after) if until is None or after is None or after.expires_on != day_after(until) else _minute(until)
    if before is not None and after is not None and _role(before) == _role(after):
        return f"{who}: {_role(after)} on {where} {_end(before) or 'without an end'} → {ends or 'without an end'}"
    states = f"{_role(before) if before else nothing} → {_role(after) if after else nothing}"
    return f"{who}: {states} on {where}{f' {ends}' if ends else ''}"


def account_change(
    who: str, before: AccountState | None, after: AccountState | None, *, is_change: bool, beside: str = ""
) -> str:
    """Say what becomes of an account: "Ana Lima: active → blocked". `beside`: what else there is to know."""
    was = before.state if before else "no account"
    if not is_change:
        return f"{who}: {was} already, nothing to do"
    return f"{who}: {was} → {after.state if after else 'deleted'}{f', {beside}' if beside else ''}"


def revocation(
    kind: CredentialKind,
    number: int,
    *,
    name: str,
    holder: str,
    state: CredentialState | None,
    is_change: bool,
    is_read: bool,
) -> str:
    """Say which token or key of whom is revoked: "Ana Lima: personal token 7 (laptop) active → revoked, for good".

    `state`: None where there is none, or (not `is_read`) where nobody can tell.
    """
    what = f"{holder}: {kind.replace('_', ' ')} {number}{f' ({name})' if name else ''}"
    if not is_read:
        return f"{what} → {_GONE.get(kind, 'revoked')}"
    if not is_change:
        return f"{what} {'is not there' if state is None else f'is {state.status} already'}, nothing to do"
    return f"{what} active → {_GONE.get(kind, 'revoked')}, for good{_BESIDE.get(kind, '')}"


_GONE = dict.fromkeys((CredentialKind.DEPLOY_TOKEN, CredentialKind.DEPLOY_KEY, CredentialKind.SSH_KEY), "deleted")
_BOT = "; its bot stays a member until GitLab deletes it"
_BESIDE = {
    CredentialKind.GROUP_TOKEN: _BOT,
    CredentialKind.PROJECT_TOKEN: _BOT,
    CredentialKind.DEPLOY_KEY: "; other projects keep it",
}


def _role(state: Membership) -> str:
    custom = "" if state.member_role_id is None else f" (custom role {state.member_role_id})"
    return f"{role_name(state.access_level)}{custom}"


def _end(state: Membership | None) -> str:
    return "" if state is None or state.expires_on is None else f"until {state.expires_on}"


def _minute(moment: int) -> str:
    return f"until {datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"
