"""The events of accounts and memberships, for whoever changed them: a call of the API or of the control API."""

from collections.abc import Iterator

from stand_in_gitlab.company.model import Membership, User
from stand_in_gitlab.company.state import Company, Source
from stand_in_gitlab.payloads import estate
from stand_in_gitlab.webhooks.events import ALWAYS, Event

MEMBER_EVENTS = {
    "project": {"add": "user_add_to_team", "update": "user_update_for_team", "remove": "user_remove_from_team"},
    "group": {"add": "user_add_to_group", "update": "user_update_for_group", "remove": "user_remove_from_group"},
}


def member_events(company: Company, what: str, source: Source, member: Membership, now: float) -> Iterator[Event]:
    """What system hooks, and those of groups, hear of a membership; `what` is add, update or remove."""
    kind, source_id = source
    user, name = company.users[member.user_id], MEMBER_EVENTS[kind][what]
    if kind == "project":
        yield Event(trigger=ALWAYS, payload=estate.project_member(name, company.projects[source_id], user, member, now))
        return
    payload = estate.group_member(name, company.groups[source_id], user, member, now)
    yield Event(trigger=ALWAYS, payload=payload)
    yield Event(trigger="member_hooks", payload=payload, group_id=source_id)


def account_event(name: str, user: User, now: float, *, old_username: str | None = None) -> Event:
    """What system hooks hear of an account: `user_create`, `user_rename` and `user_destroy`."""
    return Event(trigger=ALWAYS, payload=estate.account(name, user, now, old_username=old_username))
