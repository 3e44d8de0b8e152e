"""Changes that tests make behind everyone's back, as people and machines do in a real GitLab."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from stand_in_gitlab.ci.progress import Progress
from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.clock import Clock, day
from stand_in_gitlab.company.applications import add_application
from stand_in_gitlab.company.estate import add_group, add_project
from stand_in_gitlab.company.grants import enrol
from stand_in_gitlab.company.model import Grant, Group, Invitation, Project, Share, SourceKind
from stand_in_gitlab.company.people import machine
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.company.tokens import add as add_token
from stand_in_gitlab.control.credential_changes import CredentialChanges
from stand_in_gitlab.control.events import EventEmitter
from stand_in_gitlab.control.pipeline_changes import PipelineChanges
from stand_in_gitlab.rest.membership_changes import MembershipChanges

Done = dict[str, object]


class Changes:
    """Each public method is a verb of `POST /__standin__/changes`; its arguments are the other members of the body."""

    def __init__(
        self,
        company: Company,
        clock: Clock,
        view: CiView,
        progress: Progress,
        jobs: int,
        emitter: EventEmitter,
        memberships: MembershipChanges,
    ) -> None:
        self._company, self._clock, self._emitter, self._memberships = company, clock, emitter, memberships
        verbs: list[Callable[..., Done]] = [
            self.add_user,
            self.update_user,
            self.remove_user,
            self.add_group,
            self.remove_group,
            self.update_group,
            self.rename_group,
            self.add_project,
            self.update_project,
            self.remove_project,
            self.add_member,
            self.remove_member,
            self.remove_expired,
            self.approve_members,
            self.add_share,
            self.remove_share,
            self.invite,
            self.end_invitation,
            self.add_token,
            self.revoke_token,
            self.enforce_fine_grained,
            self.add_application,
            *PipelineChanges(company, clock, view, progress, jobs).verbs,
            *CredentialChanges(company, clock).verbs,
            *emitter.verbs,
        ]
        self.verbs = {verb.__name__: verb for verb in verbs}

    def apply(self, body: dict[str, Any]) -> Done:
        """Carry out one change; KeyError, TypeError or ValueError if it cannot be."""
        verb = self.verbs[str(body.get("do"))]
        done = self._emitter.carry_out(verb, {name: value for name, value in body.items() if name != "do"})
        self._company.generation += 1
        return done

    def add_user(self, username: str, name: str = "", **fields: Any) -> Done:
        """Hire someone; `fields` are those of a user's row."""
        user = machine(self._company, username, name or username, bot=False)
        user.created = round(self._clock.now(), 6)
        self.update_user(user.id, **fields)
        return {"id": user.id}

    def update_user(self, id: int, **fields: Any) -> Done:  # noqa: A002 - GitLab's word
        """Rename, block, promote."""
        for field, value in fields.items():
            setattr(self._company.users[id], field, value)
        return {"id": id}

    def remove_user(self, id: int) -> Done:  # noqa: A002
        """Delete an account and its memberships."""
        del self._company.users[id]
        for members in self._company.members.values():
            members.pop(id, None)
        return {"id": id}

    def add_group(self, path: str, parent_id: int | None = None, visibility: str = "private") -> Done:
        """Create a group."""
        parent = self._company.groups[parent_id] if parent_id else None
        group = add_group(self._company, self._company.next_id("namespace"), path, parent, visibility)
        group.created = round(self._clock.now(), 6)
        return {"id": group.id, "full_path": group.full_path}

    def update_group(self, id: int, **fields: Any) -> Done:  # noqa: A002
        """Lock, hide, mark for deletion."""
        for field, value in fields.items():
            setattr(self._company.groups[id], field, value)
        return {"id": id}

    def rename_group(self, id: int, path: str) -> Done:  # noqa: A002
        """Call a group otherwise: everything below it gets another full path, and keeps its id."""
        group = self._company.groups[id]
        before, above = group.full_path, group.full_path.rpartition("/")[0]
        group.path, group.full_path = path, f"{above}/{path}" if above else path
        below: list[Group | Project] = [*self._company.groups.values(), *self._company.projects.values()]
        for each in below:
            if each.full_path.startswith(f"{before}/"):
                if isinstance(each, Project):
                    self._company.former_paths[each.full_path] = each.id
                each.full_path = group.full_path + each.full_path.removeprefix(before)
        return {"full_path": group.full_path}

    def remove_group(self, id: int) -> Done:  # noqa: A002
        """Delete a group with everything below it."""
        return {"ids": self._company.remove_group(id)}

    def add_project(self, path: str, group_id: int | None = None, creator_id: int = 1) -> Done:
        """Create a private project."""
        group = self._company.groups[group_id] if group_id else None
        project = add_project(self._company, self._company.next_id("project"), path, group, creator_id)
        project.created = project.last_activity = round(self._clock.now(), 6)
        return {"id": project.id, "path_with_namespace": project.full_path}

    def update_project(self, id: int, **fields: Any) -> Done:  # noqa: A002
        """Archive, rename, hide."""
        for field, value in fields.items():
            setattr(self._company.projects[id], field, value)
        return {"id": id}

    def remove_project(self, id: int) -> Done:  # noqa: A002
        """Delete a project with its members, hooks and pipelines."""
        self._company.remove_project(id)
        return {"id": id}

    def add_member(self, source: str, source_id: int, user_id: int, level: int, **fields: Any) -> Done:
        """Add or change a direct membership; `fields` are `expires_at` (a date) and `awaiting`."""
        _ = self._source(source, source_id), self._company.users[user_id]
        member = replace(enrol(self._company, _kind(source), source_id, user_id, level), **fields)
        member.created = round(self._clock.now(), 6)
        self._company.members[_kind(source), source_id][user_id] = member
        return {"user_id": user_id}

    def remove_member(self, source: str, source_id: int, user_id: int) -> Done:
        """Take a direct membership away."""
        del self._company.members[_kind(source), source_id][user_id]
        return {"user_id": user_id}

    def remove_expired(self) -> Done:
        """Do what GitLab's nightly jobs do: end memberships, invitations and shares whose day has come."""
        today = day(self._clock.now())
        ended = self._memberships.remove_expired(today)
        for waiting in self._company.invitations.values():
            over = [number for number, one in waiting.items() if _is_over(one.expires_at, today)]
            ended += len([waiting.pop(number) for number in over])
        sources: list[Group | Project] = [*self._company.groups.values(), *self._company.projects.values()]
        for source in sources:
            kept = [share for share in source.shares if not _is_over(share.expires_at, today)]
            ended += len(source.shares) - len(kept)
            source.shares = kept
        return {"ended": ended}

    def approve_members(self) -> Done:
        """Approve, as an administrator does, whoever was queued because of a seat."""
        return {"user_ids": self._memberships.approve_queued()}

    def add_share(self, source: str, source_id: int, group_id: int, level: int, **fields: Any) -> Done:
        """Invite a group; `fields` are the others of a share's row."""
        target = self._source(source, source_id)
        target.shares.append(Share(group_id=self._company.groups[group_id].id, level=level, **fields))
        return {"group_id": group_id}

    def remove_share(self, source: str, source_id: int, group_id: int) -> Done:
        """Take a group's invitation back."""
        target = self._source(source, source_id)
        target.shares = [share for share in target.shares if share.group_id != group_id]
        return {"group_id": group_id}

    def invite(self, source: str, source_id: int, email: str, level: int, **fields: Any) -> Done:
        """Ask somebody by email; `fields` are `expires_at` (a date) and `created_by_id`."""
        _ = self._source(source, source_id)
        made = Invitation(
            id=self._company.next_id("invitation"), email=email, level=level, created=round(self._clock.now(), 6),
            created_by="Administrator", **fields,
        )  # fmt: skip
        self._company.invitations[_kind(source), source_id][made.id] = made
        return {"id": made.id}

    def end_invitation(self, source: str, source_id: int, email: str) -> Done:
        """Let an invitation be taken back, or be answered."""
        waiting = self._company.invitations[_kind(source), source_id]
        ended = next(number for number, each in waiting.items() if each.email == email)
        del waiting[ended]
        return {"id": ended}

    def _source(self, kind: str, source_id: int) -> Group | Project:
        return self._company.groups[source_id] if _kind(kind) == "group" else self._company.projects[source_id]

    def add_token(
        self,
        name: str,
        user_id: int,
        scopes: list[str],
        expires_at: str | None = None,
        value: str | None = None,
        grants: list[dict[str, Any]] | None = None,
    ) -> Done:
        """Issue a token; with `grants` a fine-grained one."""
        _ = self._company.users[user_id]
        parts = None if grants is None else tuple(map(_grant, grants))
        token = add_token(self._company, name, user_id, tuple(scopes), expires_at=expires_at, value=value, grants=parts)
        return {"name": name, "value": token.value}

    def enforce_fine_grained(self, group_id: int, *, on: bool = True) -> Done:
        """Have a top-level group refuse classic tokens of people from now on."""
        self._company.groups[group_id].fine_grained_only = on
        return {"id": group_id}

    def revoke_token(self, name: str) -> Done:
        """Revoke a token by its name."""
        self._company.tokens[self._company.well_known[name]].revoked = True
        return {"name": name}

    def add_application(self, name: str, redirect_uris: list[str], **fields: Any) -> Done:
        """Register an OAuth application, or register that of this name anew; `fields` are those of its row."""
        made = add_application(self._company, name, redirect_uris, **fields)
        return {"name": name, "client_id": made.client_id, "client_secret": made.client_secret}


def _grant(given: dict[str, Any]) -> Grant:
    return Grant(**{**given, "permissions": tuple(given["permissions"])})


def _kind(text: str) -> SourceKind:
    if text not in {"group", "project"}:
        message = "source must be group or project"
        raise ValueError(message)
    return "group" if text == "group" else "project"


def _is_over(expires_at: str | None, today: str) -> bool:
    return expires_at is not None and expires_at <= today
