"""Blocking, banning, deactivating and approving accounts: lib/api/users.rb over app/services/users/.

`break` in a route answers 201 with `null`, a service's success with `true`.
"""

from collections.abc import Iterator

from stand_in_gitlab.company.model import User
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.company.user_rules import ACTIVE_DAYS, BLOCKED, was_here
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.background import BackgroundJobs
from stand_in_gitlab.rest.membership_changes import MembershipChanges
from stand_in_gitlab.rest.refusals import Refusal, conflict, forbidden, not_found, refused
from stand_in_gitlab.rest.router import Route
from stand_in_gitlab.rest.shapes import Shapes

RECENT = (
    f"The user you are trying to deactivate has been active in the past {ACTIVE_DAYS} days and cannot be deactivated"
)
DONE = {"status": "success", "message": "Success"}


class UserStatesApi:
    """One route for each change of state; all but approving and rejecting want an administrator first of all."""

    def __init__(self, company: Company, shapes: Shapes, changes: MembershipChanges, jobs: BackgroundJobs) -> None:
        self._company, self._shapes, self._changes, self._jobs = company, shapes, changes, jobs

    def routes(self) -> Iterator[Route]:
        """Where these are."""
        for handler in (
            self.block, self.unblock, self.deactivate, self.activate, self.ban, self.unban, self.approve, self.reject,
        ):  # fmt: skip
            yield "POST", f"/users/*/{handler.__name__}", handler

    def block(self, ask: Ask) -> Answer:
        """POST /users/:id/block."""
        user = self._user(ask)
        if user.state == "ldap_blocked":
            raise forbidden("LDAP blocked users cannot be modified by the API")
        if user.id == ask.user.id:
            raise forbidden("The API initiating user cannot be blocked by the API")
        if user.state in BLOCKED:
            return reply(None, 201)
        return self._become(user, "blocked")

    def unblock(self, ask: Ask) -> Answer:
        """POST /users/:id/unblock: 201 with `false` for who is active already."""
        user = self._user(ask)
        if user.state == "ldap_blocked":
            raise forbidden("LDAP blocked users cannot be unblocked by the API")
        if user.state == "deactivated":
            raise forbidden("Deactivated users cannot be unblocked by the API")
        return reply(value=False, status=201) if user.state == "active" else self._become(user, "active")

    def deactivate(self, ask: Ask) -> Answer:
        """POST /users/:id/deactivate, of whom nobody has seen anything for ninety days."""
        user = self._user(ask)
        if user.state == "deactivated":
            return reply(None, 201)
        if user.state in BLOCKED:
            raise refused("Error occurred. A blocked user cannot be deactivated", 403)
        if was_here(user, ask.now):
            raise refused(RECENT, 403)
        return self._become(user, "deactivated")

    def activate(self, ask: Ask) -> Answer:
        """POST /users/:id/activate."""
        user = self._user(ask)
        if user.state in BLOCKED:
            raise refused("Error occurred. A blocked user must be unblocked to be activated", 403)
        return self._become(user, "active")

    def ban(self, ask: Ask) -> Answer:
        """POST /users/:id/ban, of who is active."""
        user = self._user(ask)
        if user.state != "active":
            raise refused(f"You cannot ban {user.state} users.", 403)
        return self._become(user, "banned")

    def unban(self, ask: Ask) -> Answer:
        """POST /users/:id/unban."""
        user = self._user(ask)
        if user.state != "banned":
            raise refused(f"You cannot unban {user.state} users.", 403)
        return self._become(user, "active")

    def approve(self, ask: Ask) -> Answer:
        """POST /users/:id/approve."""
        user = self._pending(ask, "approve")
        if user.state != "blocked_pending_approval":
            raise conflict("The user you are trying to approve is not pending approval")
        self._become(user, "active")
        return reply({**DONE, "http_status": "created"}, 201)

    def reject(self, ask: Ask) -> Answer:
        """POST /users/:id/reject: the account is deleted, later."""
        user = self._pending(ask, "reject")
        if user.state != "blocked_pending_approval":
            raise conflict("User does not have a pending request")
        self._jobs.later(lambda: self._changes.delete_user(user.id))
        return reply(self._shapes.user_for_admin(user), 201)

    def _user(self, ask: Ask) -> User:
        ask.need_admin()
        user = self._company.users.get(ask.integer(ask.names[0], "id"))
        if user is None:
            raise not_found("User")
        return user

    def _pending(self, ask: Ask, action: str) -> User:
        user = self._company.users.get(ask.integer(ask.names[0], "id"))
        if user is None:
            raise not_found("User")
        if not ask.user.is_admin:
            raise Refusal(403, {"message": f"You are not allowed to {action} a user"})
        return user

    def _become(self, user: User, state: str) -> Answer:
        user.state = state
        self._company.generation += 1
        return reply(value=True, status=201)
