"""What an operation does, in a sentence that a person understands. Pure."""

from gitlab_hub.gitlab.roles import role_name
from gitlab_hub.provisioning.decisions import Decision
from gitlab_hub.provisioning.facts import Facts
from gitlab_hub.provisioning.model import Membership, Operation


def sentence(operation: Operation, facts: Facts, decision: Decision) -> str:
    """Say who gets or loses what, where, and until when: "Ana Lima: Developer → Maintainer on platform/api"."""
    who = facts.person.label if facts.person else f"account {operation.account_id}"
    where = facts.place.full_path if facts.place else f"{operation.resource_type} {operation.resource_id}"
    before, after = decision.before, decision.after
    if not decision.calls:
        return f"{who}: {_state(facts, before)} on {where} already, nothing to do"
    if before is not None and after is not None and _role(before) == _role(after):
        return (
            f"{who}: {_role(after)} on {where} {_end(before) or 'without an end'} → {_end(after) or 'without an end'}"
        )
    return (
        f"{who}: {_state(facts, before)} → {_state(facts, after)} on {where}{f' {_end(after)}' if _end(after) else ''}"
    )


def _state(facts: Facts, state: Membership | None) -> str:
    """A membership; where there is none, what is left without it."""
    if state is not None:
        return _role(state)
    above = facts.inherited
    return "no access" if above is None else f"{role_name(above.level)} (inherited from {above.full_path})"


def _role(state: Membership) -> str:
    custom = "" if state.member_role_id is None else f" (custom role {state.member_role_id})"
    return f"{role_name(state.access_level)}{custom}"


def _end(state: Membership | None) -> str:
    return "" if state is None or state.expires_on is None else f"until {state.expires_on}"
