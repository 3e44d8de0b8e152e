"""Inviting people by email or by id (lib/api/invitations.rb, app/services/members/invite_service.rb)."""

from collections.abc import Iterator
from dataclasses import replace

from stand_in_gitlab.company.member_rules import LEVELS
from stand_in_gitlab.company.model import MINIMAL, Invitation
from stand_in_gitlab.company.state import Company, Source
from stand_in_gitlab.company.user_rules import EMAIL, by_email
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.member_checks import (
    Problems,
    day_problem,
    full_messages,
    invalid,
    level_problem,
    sentence,
)
from stand_in_gitlab.rest.member_params import Wanted, listed, wanted_day, wanted_member
from stand_in_gitlab.rest.member_rights import MemberRights
from stand_in_gitlab.rest.member_service import QUEUED, MemberService
from stand_in_gitlab.rest.membership_changes import MembershipChanges
from stand_in_gitlab.rest.refusals import bad_request, forbidden, refused
from stand_in_gitlab.rest.router import Route
from stand_in_gitlab.rest.shapes import Shapes

NOBODY = "400 Bad request - Must provide either email or user_id as a parameter"


class InvitationWritesApi:
    """Sends, changes and takes back invitations to one kind of source."""

    def __init__(self, company: Company, shapes: Shapes, changes: MembershipChanges, *, of_groups: bool) -> None:
        self._company, self._shapes, self._of_groups = company, shapes, of_groups
        self._find, self._rights = Finder(company), MemberRights(company)
        self._service = MemberService(company, changes, self._rights)

    def routes(self) -> Iterator[Route]:
        """Where these are."""
        path = f"/{'groups' if self._of_groups else 'projects'}/*/invitations"
        yield "POST", path, self.send
        yield "PUT", f"{path}/*", self.update
        yield "DELETE", f"{path}/*", self.take_back

    def _source(self, ask: Ask) -> Source:
        """The group or project, if the caller may administer its members."""
        source: Source = (
            ("group", self._find.group(ask).id) if self._of_groups else ("project", self._find.project(ask).id)
        )
        if not self._rights.may_administer(ask, source):
            raise forbidden()
        return source

    def send(self, ask: Ask) -> Answer:
        """POST …/invitations: 201 whatever became of it, and an object that says what is wrong with whom.

        Whoever has an account becomes a member at once, or gets the new level; whoever was invited before is invited
        anew to the new level (app/services/members/invite_member_builder.rb).
        """
        wanted, emails, ids = wanted_member(ask), listed(ask, "email"), listed(ask, "user_id")
        _check_level(wanted.level, minimal=True)
        if not all(EMAIL.fullmatch(each) for each in emails):
            raise bad_request("email contains an invalid email address")
        if not emails and not ids:
            raise refused(NOBODY, 400)
        source = self._source(ask)
        self._service.check_owners(ask, source, wanted.level)
        if problem := self._service.hindrance(source, len(emails) + len(ids)):
            return reply({"message": problem, "status": "error"}, 201)
        errors: dict[str, str] = {}
        queued: dict[str, str] = {}
        users = self._company.users
        known = {each: by_email(self._company, each) for each in emails}
        people = [(user, email) for email, user in known.items() if user]
        people += [(users[int(each)], "") for each in ids if each.isdecimal() and int(each) in users]
        for email in (email for email, user in known.items() if user is None):
            if problems := self._invite(ask, source, email, wanted):
                errors[email] = sentence(full_messages(problems))
        for user, email in people:
            added = self._service.add(ask, source, user, wanted)
            if added.queued:
                queued[email or user.username] = QUEUED
            elif added.sentence:
                errors[email or user.username] = added.sentence
        body: dict[str, object] = {"queued_users": queued} if queued else {}
        return reply({**body, "status": "error", "message": errors} if errors else {**body, "status": "success"}, 201)

    def _invite(self, ask: Ask, source: Source, email: str, wanted: Wanted) -> Problems:
        """Invite an address, or change the invitation that it has; returns what is wrong."""
        if problems := self._problems(ask, source, wanted.level, wanted.expires_at):
            return problems
        waiting = self._company.invitations[source]
        old = next((each for each in waiting.values() if each.email == email), None)
        if old is None:
            old = Invitation(
                id=self._company.next_id("invitation"), email=email.lower(), level=wanted.level,
                created=round(ask.now, 6), created_by=ask.user.name, created_by_id=ask.user.id,
            )  # fmt: skip
        waiting[old.id] = replace(old, level=wanted.level, expires_at=wanted.expires_at)
        return {}

    def _problems(self, ask: Ask, source: Source, level: int, expires_at: str | None) -> Problems:
        return level_problem(self._company, source, level) | day_problem(expires_at, ask.now)

    def update(self, ask: Ask) -> Answer:
        """PUT …/invitations/:email.

        The documentation says that `access_level` defaults to 30. The source takes nothing for it: what is not sent
        stays as it is (`declared_params(include_missing: false)`).
        """
        level = ask.sent.get("access_level")
        wanted = None if level in {None, ""} else ask.integer(str(level), "access_level")
        if wanted is not None:
            _check_level(wanted, minimal=False)
        expires_at = wanted_day(ask)
        source = self._source(ask)
        old = self._invitation(ask, source)
        if wanted is None and "expires_at" not in ask.sent:
            raise refused("400 Bad request", 400)
        if wanted is not None:
            self._service.check_owners(ask, source, wanted)
        new = replace(
            old,
            level=old.level if wanted is None else wanted,
            expires_at=expires_at if "expires_at" in ask.sent else old.expires_at,
        )
        if new != old and (problems := self._problems(ask, source, new.level, new.expires_at)):
            raise invalid(problems)
        self._company.invitations[source][old.id] = new
        return reply(self._shapes.invitation(new))

    def take_back(self, ask: Ask) -> Answer:
        """DELETE …/invitations/:email."""
        source = self._source(ask)
        del self._company.invitations[source][self._invitation(ask, source).id]
        return Answer(204)

    def _invitation(self, ask: Ask, source: Source) -> Invitation:
        """The invitation of the address in the path, as a whole and to the letter; 404 if there is none."""
        for each in self._company.invitations[source].values():
            if each.email == ask.names[1]:
                return each
        raise refused("404 Not Found", 404)


def _check_level(level: int, *, minimal: bool) -> None:
    if level not in LEVELS and not (minimal and level == MINIMAL):
        raise bad_request("access_level does not have a valid value")
