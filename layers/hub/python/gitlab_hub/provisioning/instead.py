"""What GitLab did in the place of what was planned: a membership, where an invited address has an account. Pure.

GitLab goes by any confirmed address of an account, and most tokens are not shown those. So what tells whose it was is
the difference between the direct members before and after (app/services/members/creator_service.rb).
"""

from collections.abc import Mapping
from dataclasses import replace

from gitlab_hub.gitlab.roles import role_name
from gitlab_hub.provisioning.model import Step, StepStatus
from gitlab_hub.provisioning.operation import Kind, Operation
from gitlab_hub.provisioning.states import Instead, Membership, membership_of

BECAME_MEMBER = "became_member"


def made_member(
    step: Step, members: Mapping[int, Membership] | None, members_now: Mapping[int, Membership] | None
) -> Instead | None:
    """Whose membership a write has made or changed in the place of what was planned; None where that cannot be told.

    GitLab gives it the level and the end that were asked for. Of two that came to the same in these seconds, neither
    can be told to be it.
    """
    wanted = membership_of(step.after)
    if wanted is None or members is None or members_now is None:
        return None
    found = [
        Instead(account_id=one, before=members.get(one), after=now_is)
        for one, now_is in members_now.items()
        if now_is != members.get(one)
        and (now_is.access_level, now_is.expires_on) == (wanted.access_level, wanted.expires_on)
    ]
    return found[0] if len(found) == 1 else None


def became_member(step: Step, instead: Instead, *, at: int) -> Step:
    """The step at its end, where GitLab has made somebody a member, or changed a member, in place of an invitation."""
    states = f"{_named(instead.before)} → {_named(instead.after)}"
    hint = (
        f"The address belongs to account {instead.account_id}, whose membership GitLab has made or changed at once: "
        f"{states}. POST …/undo makes a plan that takes that back."
    )
    done = step.settled(StepStatus.FAILED, at=at, error=BECAME_MEMBER, hint=hint)
    return replace(done, instead=instead)


def _named(state: Membership | None) -> str:
    end = "" if state is None or state.expires_on is None else f" until {state.expires_on}"
    return "no membership" if state is None else f"{role_name(state.access_level)}{end}"


def as_it_went(step: Step) -> Step:
    """The step, or what GitLab did in its place as a step of its own: what there is to take back."""
    one, instead = step.operation, step.instead
    if instead is None:
        return step
    grant = Operation(
        kind=Kind.GRANT,
        account_id=instead.account_id,
        resource_type=one.resource_type,
        resource_id=one.resource_id,
        access_level=instead.after.access_level,
    )
    return replace(step, operation=grant, before=instead.before, after=instead.after)
