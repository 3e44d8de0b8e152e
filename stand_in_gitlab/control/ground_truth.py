"""The whole truth, for tests to compare with what somebody else has stored."""

from collections.abc import Callable, Iterator
from dataclasses import asdict

from stand_in_gitlab.ci.model import Attempt, Pipeline
from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.clock import Clock, iso
from stand_in_gitlab.company.authorizations import Database
from stand_in_gitlab.company.code import refs
from stand_in_gitlab.company.hook_model import Hook
from stand_in_gitlab.company.model import Share
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.control.credential_truth import credentials
from stand_in_gitlab.rest.account_lists import AccountLists
from stand_in_gitlab.webhooks.health import alert_status

Fact = dict[str, object]


class Truth:
    """Every row of every dataset at this moment, with GitLab's names for the fields."""

    def __init__(self, company: Company, view: CiView, clock: Clock) -> None:
        self._company, self._view, self._clock = company, view, clock
        self._sets: dict[str, Callable[[], Iterator[Fact]]] = {
            "users": self._users,
            "groups": self._groups,
            "projects": self._projects,
            "members": self._members,
            "shares": self._shares,
            "invitations": self._invitations,
            "account_lists": AccountLists(company).rows,
            "access": self._access,
            "credentials": lambda: credentials(company, clock.now()),
            "pipelines": self._pipelines,
            "jobs": self._jobs,
            "bridges": self._bridges,
            "hooks": self._hooks,
            "hook_events": self._hook_events,
            "statuses": lambda: (asdict(each) for each in company.statuses.values()),
            "refs": lambda: iter(refs(company)),
        }

    def names(self) -> list[str]:
        """The datasets there are."""
        return list(self._sets)

    def rows(self, name: str) -> list[Fact]:
        """One dataset; KeyError if there is none of that name."""
        return list(self._sets[name]())

    def counts(self) -> dict[str, int]:
        """How many rows each dataset has."""
        return {name: sum(1 for _ in rows()) for name, rows in self._sets.items()}

    def without_builds(self) -> list[int]:
        """Projects whose pipelines nobody may read: 403 for everyone."""
        return [project.id for project in self._company.projects.values() if not project.builds_enabled]

    def _users(self) -> Iterator[Fact]:
        for user in self._company.users.values():
            yield {
                "id": user.id,
                "username": user.username,
                "state": user.state,
                "is_admin": user.is_admin,
                "is_auditor": user.is_auditor,
                "bot": user.bot,
                "service_account": user.service_account,
                "email": user.email,
                "external": user.external,
                "two_factor_enabled": user.two_factor,
                "last_sign_in_at": None if user.last_sign_in is None else int(user.last_sign_in),
                "last_activity_on": user.last_activity_on,
                "saml": [uid for _, uid in user.saml],
                "scim": [uid for _, uid, active in user.scim if active],
            }

    def _groups(self) -> Iterator[Fact]:
        for group in self._company.groups.values():
            yield {
                "id": group.id,
                "full_path": group.full_path,
                "parent_id": group.parent_id,
                "visibility": group.visibility,
                "share_with_group_lock": group.share_with_group_lock,
                "membership_lock": group.membership_lock,
                "marked_for_deletion_on": group.marked_for_deletion_on,
            }

    def _projects(self) -> Iterator[Fact]:
        for project in self._company.projects.values():
            row: Fact = {"id": project.id, "path_with_namespace": project.full_path, "group_id": project.group_id}
            yield row | {
                "archived": project.archived,
                "visibility": project.visibility,
                "builds_enabled": project.builds_enabled,
                "marked_for_deletion_on": project.marked_for_deletion_on,
                "owner_id": None if project.group_id else project.creator_id,
            }

    def _members(self) -> Iterator[Fact]:
        for (kind, source_id), members in self._company.members.items():
            for member in members.values():
                row: Fact = {
                    "source": kind,
                    "source_id": source_id,
                    "user_id": member.user_id,
                    "access_level": member.level,
                }
                yield row | {
                    "expires_at": member.expires_at,
                    "member_role_id": member.role.id if member.role else None,
                    "created_at": iso(member.created),
                    "created_by": member.created_by,
                }

    def _shares(self) -> Iterator[Fact]:
        for group in self._company.groups.values():
            yield from _shares("group", group.id, group.shares)
        for project in self._company.projects.values():
            yield from _shares("project", project.id, project.shares)

    def _invitations(self) -> Iterator[Fact]:
        for (kind, source_id), invitations in self._company.invitations.items():
            for each in invitations.values():
                yield {
                    "source": kind,
                    "source_id": source_id,
                    "id": each.id,
                    "invite_email": each.email,
                    "access_level": each.level,
                    "expires_at": each.expires_at,
                    "created_by_name": each.created_by,
                }

    def _access(self) -> Iterator[Fact]:
        """Everybody's level in every group and project, without what administrators may do everywhere."""
        database = Database.of(self._company)
        for user_id in self._company.users:
            for (kind, source_id), level in database.levels(user_id).items():
                yield {"source": kind, "source_id": source_id, "user_id": user_id, "access_level": level}

    def _existing(self) -> Iterator[Pipeline]:
        now = self._clock.now()
        for pipelines in self._company.pipelines.values():
            yield from (pipeline for pipeline in pipelines.values() if pipeline.created <= now)

    def _pipelines(self) -> Iterator[Fact]:
        now = self._clock.now()
        for pipeline in self._existing():
            state = self._view.state(pipeline, now)
            row: Fact = {
                "id": pipeline.id,
                "project_id": pipeline.project_id,
                "status": state.status,
                "updated_at": None if pipeline.undated else iso(state.updated),
            }
            yield row | {
                "created_at": iso(pipeline.created),
                "source": pipeline.source,
                "parent_id": pipeline.parent_id,
            }

    def _jobs(self) -> Iterator[Fact]:
        now = self._clock.now()
        for pipeline in self._existing():
            attempts = self._view.jobs(pipeline, now, retried=True)
            newest = {attempt.id for attempt in self._view.jobs(pipeline, now, retried=False)}
            for attempt in attempts:
                yield _job(attempt, pipeline, now) | {"retried": attempt.id not in newest}

    def _bridges(self) -> Iterator[Fact]:
        now = self._clock.now()
        for pipeline in self._existing():
            for attempt in self._view.bridges(pipeline, now):
                yield _job(attempt, pipeline, now) | {"downstream_pipeline_id": attempt.downstream}

    def _hooks(self) -> Iterator[Fact]:
        for hooks in self._company.hooks.values():
            yield from (_hook(hook, self._clock.now()) for hook in hooks.values())

    def _hook_events(self) -> Iterator[Fact]:
        for hooks in self._company.hooks.values():
            for hook in hooks.values():
                yield from ({"hook_id": hook.id, "key": event.key, **asdict(event)} for event in hook.events)


def _hook(hook: Hook, now: float) -> Fact:
    """A hook with its secrets: the control API hides nothing."""
    kind, owner_id = hook.owner
    row: Fact = {"id": hook.id, "kind": kind, f"{kind}_id": owner_id, "url": hook.url, "failures": hook.failures}
    on = [name for name, wanted in hook.flags.items() if wanted]
    return row | {
        "alert_status": alert_status(hook, now),
        "events": on,
        "token": hook.token,
        "signing_token": hook.signing_token,
        "branch_filter": hook.branch_filter,
        "template": hook.template,
        "custom_headers": dict(hook.custom_headers),
        "url_variables": dict(hook.url_variables),
    }


def _shares(source: str, source_id: int, shares: list[Share]) -> Iterator[Fact]:
    for share in shares:
        row: Fact = {"source": source, "source_id": source_id, "group_id": share.group_id}
        yield row | {"group_access_level": share.level, "expires_at": share.expires_at, "member_role_id": share.role_id}


def _job(attempt: Attempt, pipeline: Pipeline, now: float) -> Fact:
    row: Fact = {"id": attempt.id, "project_id": pipeline.project_id, "pipeline_id": pipeline.id}
    return row | {"name": attempt.name, "stage": attempt.stage, "status": attempt.status(now)}
