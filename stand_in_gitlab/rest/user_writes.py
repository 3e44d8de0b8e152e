"""Creating, changing and deleting accounts (lib/api/users.rb), and removing somebody from a whole tree of groups."""

from collections.abc import Iterator
from typing import Any

from stand_in_gitlab.company.member_rules import is_kept_elsewhere
from stand_in_gitlab.company.model import OWNER, User
from stand_in_gitlab.company.people import machine
from stand_in_gitlab.company.state import Company, Source
from stand_in_gitlab.company.user_rules import EMAIL, by_email, by_username, solo_owned
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.background import BackgroundJobs
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.member_checks import invalid
from stand_in_gitlab.rest.member_params import TRUE, said
from stand_in_gitlab.rest.membership_changes import MembershipChanges
from stand_in_gitlab.rest.refusals import Refusal, bad_request, conflict, not_found, refused
from stand_in_gitlab.rest.router import Route
from stand_in_gitlab.rest.shapes import Shapes

NO_WAY_IN = "password, reset_password, force_random_password are missing, at least one parameter must be provided"
SOLE_OWNER = "User cannot be removed while is the sole-owner of a group"
FLAGS = {"external": "external", "admin": "is_admin", "auditor": "is_auditor"}


class UserWritesApi:
    """What administrators do with accounts, and Owners with those who take their seats."""

    def __init__(self, company: Company, shapes: Shapes, changes: MembershipChanges, jobs: BackgroundJobs) -> None:
        self._company, self._shapes, self._changes, self._jobs = company, shapes, changes, jobs
        self._find = Finder(company)

    def routes(self) -> Iterator[Route]:
        """Where these are."""
        yield "POST", "/users", self.create
        yield "PUT", "/users/*", self.update
        yield "DELETE", "/users/*", self.delete
        yield "DELETE", "/groups/*/billable_members/*", self.remove_billable

    def create(self, ask: Ask) -> Answer:
        """POST /users."""
        sent = ask.sent
        if missing := [name for name in ("email", "name", "username") if not sent.get(name)]:
            raise bad_request(", ".join(f"{name} is missing" for name in missing))
        if not any(sent.get(name) for name in ("password", "reset_password", "force_random_password")):
            raise bad_request(NO_WAY_IN)
        ask.need_admin()
        self._check(sent, None)
        user = machine(self._company, str(sent["username"]), str(sent["name"]), bot=False)
        user.email, user.created, user.last_activity_on = str(sent["email"]), round(ask.now, 6), None
        self._apply(user, sent)
        self._company.generation += 1
        self._changes.tell_account("user_create", user)
        return reply(self._shapes.user_for_admin(user), 201)

    def update(self, ask: Ask) -> Answer:
        """PUT /users/:id. A new address counts once it is confirmed, or with `skip_reconfirmation`."""
        user, sent = self._user(ask), ask.sent
        self._check(sent, user)
        old = user.username
        user.username, user.name = str(sent.get("username") or old), str(sent.get("name") or user.name)
        if sent.get("email") and said(ask, "skip_reconfirmation"):
            user.email = str(sent["email"])
        self._apply(user, sent)
        self._company.generation += 1
        if user.username != old:
            self._changes.tell_account("user_rename", user, old_username=old)
        return reply(self._shapes.user_for_admin(user))

    def _check(self, sent: dict[str, Any], user: User | None) -> None:
        """409 for what somebody else has, 400 for what is no address."""
        for name, taken, word in (("email", by_email, "Email"), ("username", by_username, "Username")):
            other = taken(self._company, str(sent[name])) if sent.get(name) else None
            if other is not None and other is not user:
                message = f"{word} has already been taken"
                raise conflict(message)
        if sent.get("email") and not EMAIL.fullmatch(str(sent["email"])):
            raise invalid({"email": ["is invalid"]})

    def _apply(self, user: User, sent: dict[str, Any]) -> None:
        for name, field in FLAGS.items():
            if name in sent:
                setattr(user, field, str(sent[name]).lower() in TRUE)
        if sent.get("extern_uid") and sent.get("provider"):
            provider = str(sent["provider"])
            others = tuple(pair for pair in user.identities if pair[0] != provider)
            user.identities = (*others, (provider, str(sent["extern_uid"])))

    def delete(self, ask: Ask) -> Answer:
        """DELETE /users/:id: 204 at once, done later; with `hard_delete` groups that nobody else owns go along."""
        user, hard = self._user(ask), said(ask, "hard_delete")
        if not hard and solo_owned(self._company, user.id):
            raise conflict(SOLE_OWNER)
        self._jobs.later(lambda: self._changes.delete_user(user.id, hard=hard))
        return Answer(204)

    def remove_billable(self, ask: Ask) -> Answer:
        """DELETE /groups/:id/billable_members/:user_id: 204 at once; every membership in the tree goes later.

        ee/app/services/billable_members/destroy_service.rb and app/services/members/schedule_deletion_service.rb.
        """
        group, user_id = self._find.group(ask), ask.integer(ask.names[1], "user_id")
        if group.parent_id is not None:
            raise _bad("Invalid group provided, must be top-level")
        source: Source = ("group", group.id)
        if ask.visibility.group_level(group.id) < OWNER or is_kept_elsewhere(self._company, source, ask.user):
            raise _bad("User unauthorized to remove member")
        if not self._changes.in_tree(group.id, user_id):
            raise _bad("No member found for the given user_id")
        self._jobs.later(lambda: self._changes.remove_from_tree(group.id, user_id))
        return Answer(204)

    def _user(self, ask: Ask) -> User:
        ask.need_admin()
        user = self._company.users.get(ask.integer(ask.names[0], "id"))
        if user is None:
            raise not_found("User")
        return user


def _bad(reason: str) -> Refusal:
    return refused(f"400 Bad request - {reason}", 400)
