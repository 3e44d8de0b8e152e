"""REST v4 as a whole: every route, and the way from a request to its answer."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stand_in_gitlab.ci.external import ExternalStages
from stand_in_gitlab.ci.plan import Planner
from stand_in_gitlab.ci.view import CiView
from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.hook_model import HookKind
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.company.visibility import Visibilities
from stand_in_gitlab.payloads.parts import Parts
from stand_in_gitlab.rest.account_lists import AccountListsApi
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.auth import check_kind, check_scope, identify, token_text
from stand_in_gitlab.rest.background import BackgroundJobs
from stand_in_gitlab.rest.ci_shapes import CiShapes
from stand_in_gitlab.rest.code_shapes import CodeShapes
from stand_in_gitlab.rest.credential_writes import CredentialWritesApi
from stand_in_gitlab.rest.credentials import CredentialsApi
from stand_in_gitlab.rest.deployments import DeploymentsApi
from stand_in_gitlab.rest.granular import check_grant
from stand_in_gitlab.rest.groups import GroupsApi
from stand_in_gitlab.rest.hook_events import HookEventsApi
from stand_in_gitlab.rest.hooks import HooksApi
from stand_in_gitlab.rest.invitation_writes import InvitationWritesApi
from stand_in_gitlab.rest.jobs import JobsApi
from stand_in_gitlab.rest.member_writes import MemberWritesApi
from stand_in_gitlab.rest.members import MembersApi
from stand_in_gitlab.rest.membership_changes import MembershipChanges
from stand_in_gitlab.rest.merge_requests import MergeRequestsApi
from stand_in_gitlab.rest.own_token import OwnTokenApi
from stand_in_gitlab.rest.pipelines import PipelinesApi
from stand_in_gitlab.rest.project_shapes import ProjectShapes
from stand_in_gitlab.rest.projects import ProjectsApi
from stand_in_gitlab.rest.refusals import Refusal, read_only
from stand_in_gitlab.rest.repository import RepositoryApi
from stand_in_gitlab.rest.router import Route, Router
from stand_in_gitlab.rest.shapes import Shapes
from stand_in_gitlab.rest.shares import SharesApi
from stand_in_gitlab.rest.statuses import StatusesApi
from stand_in_gitlab.rest.user_states import UserStatesApi
from stand_in_gitlab.rest.user_writes import UserWritesApi
from stand_in_gitlab.rest.users import UsersApi
from stand_in_gitlab.webhooks.samples import Samples
from stand_in_gitlab.webhooks.sender import Sender

HOOKS: tuple[HookKind, ...] = ("project", "group", "system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request below /api/v4 before anyone asked who sends it."""

    method: str
    path: str
    segments: tuple[str, ...]
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


class RestApi:
    """Answers calls over one company."""

    def __init__(self, company: Company, clock: Clock, base: str, sender: Sender) -> None:
        self._company, self._clock, self.base, self._sender = company, clock, base, sender
        self.parts = Parts(company, base)
        self._visibilities = Visibilities(company)
        self.view = CiView(company, Planner(company.seed))
        self._shapes = Shapes(company, base)
        self.memberships, self.jobs = MembershipChanges(company, clock, sender), BackgroundJobs(company, clock)
        self.router = Router([*self._people(), *self._estate(), *self._ci(), *self._code(), *self._hooks()])

    def _people(self) -> Iterator[Route]:
        users, own = UsersApi(self._company, self._shapes), OwnTokenApi(self._company, self._shapes, self.base)
        yield "GET", "/personal_access_tokens/self", own.facts
        yield "DELETE", "/personal_access_tokens/self", own.revoke
        yield "GET", "/personal_access_tokens/self/associations", own.associations
        yield "POST", "/personal_access_tokens/self/rotate", own.rotate
        yield "GET", "/user", users.me
        yield "GET", "/users", users.many
        yield "GET", "/users/*", users.one
        yield "GET", "/users/*/memberships", users.memberships
        changing = self._company, self._shapes, self.memberships, self.jobs
        yield from UserWritesApi(*changing).routes()
        yield from UserStatesApi(*changing).routes()
        yield from CredentialsApi(self._company, self._shapes).routes()
        yield from CredentialWritesApi(self._company, self.memberships, self.jobs).routes()
        yield "GET", "/version", self._version
        yield "GET", "/metadata", self._metadata

    def _estate(self) -> Iterator[Route]:
        shapes = ProjectShapes(self._company, self.base, self._shapes)
        groups, projects = GroupsApi(self._company, self._shapes, shapes), ProjectsApi(self._company, shapes)
        yield "GET", "/groups", groups.many
        yield "GET", "/groups/*", groups.one
        yield "GET", "/groups/*/subgroups", groups.subgroups
        yield "GET", "/groups/*/descendant_groups", groups.descendants
        yield "GET", "/groups/*/projects", groups.projects
        yield "GET", "/projects", projects.many
        yield "GET", "/projects/*", projects.one
        yield from SharesApi(self._company, self._shapes).routes()
        yield from AccountListsApi(self._company, self._shapes).routes()
        for kind in ("groups", "projects"):
            members = MembersApi(self._company, self._shapes, of_groups=kind == "groups")
            yield "GET", f"/{kind}/*/members", members.direct
            yield "GET", f"/{kind}/*/members/all", members.everyone
            yield "GET", f"/{kind}/*/members/all/*", members.one_of_everyone
            yield "GET", f"/{kind}/*/members/*", members.one
            yield "GET", f"/{kind}/*/invitations", members.invitations
            writes = MemberWritesApi(self._company, self._shapes, self.memberships, of_groups=kind == "groups")
            yield from writes.routes()
            invitations = InvitationWritesApi(self._company, self._shapes, self.memberships, of_groups=kind == "groups")
            yield from invitations.routes()

    def _ci(self) -> Iterator[Route]:
        shapes = CiShapes(self._company, self.base, self._shapes)
        pipelines, jobs = PipelinesApi(self._company, shapes, self.view), JobsApi(self._company, shapes, self.view)
        yield "GET", "/projects/*/pipelines", pipelines.many
        yield "GET", "/projects/*/pipelines/latest", pipelines.latest
        yield "GET", "/projects/*/pipelines/*", pipelines.one
        yield "GET", "/projects/*/pipelines/*/jobs", jobs.of_pipeline
        yield "GET", "/projects/*/pipelines/*/bridges", jobs.bridges
        yield "GET", "/projects/*/jobs", jobs.of_project
        yield "GET", "/projects/*/jobs/*", jobs.one
        yield from StatusesApi(self._company, self._shapes, ExternalStages(self._company, self.view)).routes()

    def _code(self) -> Iterator[Route]:
        shapes = CodeShapes(self._company, self.base)
        yield from RepositoryApi(self._company, shapes).routes()
        ci = CiShapes(self._company, self.base, self._shapes)
        requests = MergeRequestsApi(self._company, self._shapes, shapes, self.base, ci=ci, view=self.view)
        yield from requests.routes()
        yield from DeploymentsApi(self._company, self._shapes, ci, self.view, requests.row).routes()

    def _hooks(self) -> Iterator[Route]:
        samples = Samples(self.parts)
        for kind in HOOKS:
            yield from HooksApi(self._company, kind).routes()
            yield from HookEventsApi(self._company, self._sender, samples, kind).routes()

    def answer(self, call: Call) -> Answer:
        """The answer to a call; refusals are answers too."""
        self.jobs.catch_up()
        try:
            return self._answer(call)
        except Refusal as refusal:
            answer = reply(refusal.body, refusal.status)
            answer.headers.update(refusal.headers)
            return answer

    def _answer(self, call: Call) -> Answer:
        self._keep_read_only(call)
        now = self._clock.now()
        text = token_text(call.headers, call.params)
        if call.segments[2:] == ("rotate",):
            self._punish_reuse(text)
        token, user = identify(self._company, text, now)
        method = "GET" if call.method == "HEAD" else call.method
        handler, names, pattern = self.router.find(method, call.segments)
        visibility = self._visibilities.of(user)
        if not check_grant(self._company, token, user, visibility, (method, pattern), names):
            check_scope(token, method, call.segments)
        check_kind(self._company, token, user, call.headers)
        ask = Ask(
            method=method,
            path=call.path,
            segments=call.segments,
            params=call.params,
            headers=call.headers,
            body=call.body,
            base=self.base,
            now=now,
            token=token,
            user=user,
            visibility=visibility,
            names=names,
        )
        return handler(ask)

    def _keep_read_only(self, call: Call) -> None:
        """Refuse to write before anything else is looked at (lib/gitlab/middleware/read_only/controller.rb)."""
        if self._company.behaviour.read_only and call.method in {"POST", "PATCH", "PUT", "DELETE"}:
            kind = next((value for name, value in call.headers.items() if name.lower() == "content-type"), "")
            raise read_only(self.base, is_json=kind.partition(";")[0].strip() == "application/json")

    def _punish_reuse(self, text: str | None) -> None:
        """Rotating a token that was rotated before revokes everything that descends from the first one."""
        token = self._company.tokens.get(text or "")
        if token is not None and token.revoked:
            for relative in self._company.tokens.values():
                relative.revoked |= relative.family == token.family

    def _version(self, _ask: Ask) -> Answer:
        return reply({"version": self._company.behaviour.version, "revision": "1a2b3c4d5e6"})

    def _metadata(self, ask: Ask) -> Answer:
        kas = {"enabled": False, "externalUrl": None, "externalK8sProxyUrl": None, "version": None}
        return reply({**json.loads(self._version(ask).body), "kas": kas, "enterprise": True})
