"""What an operation does, in a sentence that a person understands. Pure."""

from datetime import UTC, datetime

from gitlab_hub.gitlab.roles import role_name
from gitlab_hub.provisioning.model import day_after
from gitlab_hub.provisioning.states import AccountState, Membership, State, membership_of


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


def _role(state: Membership) -> str:
    custom = "" if state.member_role_id is None else f" (custom role {state.member_role_id})"
    return f"{role_name(state.access_level)}{custom}"


def _end(state: Membership | None) -> str:
    return "" if state is None or state.expires_on is None else f"until {state.expires_on}"


def _minute(moment: int) -> str:
    return f"until {datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"
