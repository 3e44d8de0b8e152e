"""The company as one value in memory, with the indexes its answers need."""

from collections import defaultdict
from dataclasses import dataclass, field

from stand_in_gitlab.ci.model import Pipeline
from stand_in_gitlab.company.application_model import Application, Grant
from stand_in_gitlab.company.behaviour import Behaviour
from stand_in_gitlab.company.code_model import MergeRequest, Repository
from stand_in_gitlab.company.credential_model import DeployKey, DeployToken, SshKey
from stand_in_gitlab.company.deployment_model import Deployment, Environment
from stand_in_gitlab.company.hook_model import Hook, HookOwner
from stand_in_gitlab.company.model import Group, Invitation, Membership, Project, QueuedMember, SourceKind, Token, User
from stand_in_gitlab.company.status_model import CommitStatus

Source = tuple[SourceKind, int]


@dataclass(slots=True)
class Company:
    """All rows by id. `generation` moves with everything that may change who sees what."""

    seed: int
    epoch: float
    users: dict[int, User] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    projects: dict[int, Project] = field(default_factory=dict)
    members: defaultdict[Source, dict[int, Membership]] = field(default_factory=lambda: defaultdict(dict))
    invitations: defaultdict[Source, dict[int, Invitation]] = field(default_factory=lambda: defaultdict(dict))
    pipelines: defaultdict[int, dict[int, Pipeline]] = field(default_factory=lambda: defaultdict(dict))
    hooks: defaultdict[HookOwner, dict[int, Hook]] = field(default_factory=lambda: defaultdict(dict))
    repositories: dict[int, Repository] = field(default_factory=dict)
    merge_requests: defaultdict[int, dict[int, MergeRequest]] = field(default_factory=lambda: defaultdict(dict))
    environments: defaultdict[int, dict[int, Environment]] = field(default_factory=lambda: defaultdict(dict))
    deployments: defaultdict[int, dict[int, Deployment]] = field(default_factory=lambda: defaultdict(dict))
    statuses: dict[int, CommitStatus] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    ssh_keys: dict[int, SshKey] = field(default_factory=dict)
    deploy_keys: dict[int, DeployKey] = field(default_factory=dict)
    deploy_tokens: dict[int, DeployToken] = field(default_factory=dict)
    well_known: dict[str, str] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    refresh_tokens: dict[str, Token] = field(default_factory=dict)
    queued_members: list[QueuedMember] = field(default_factory=list)
    """Additions and promotions that wait for an administrator."""
    former_paths: dict[str, int] = field(default_factory=dict)
    """Full paths that projects had before."""
    behaviour: Behaviour = field(default_factory=Behaviour)
    generation: int = 0
    _last_ids: dict[str, int] = field(default_factory=dict)

    def next_id(self, kind: str, count: int = 1) -> int:
        """Reserve `count` ids of a sequence and return the first."""
        first = self._last_ids.get(kind, 0) + 1
        self._last_ids[kind] = first + count - 1
        return first

    def ancestors(self, group_id: int | None) -> list[Group]:
        """The group itself, then its parent, up to the top."""
        line = []
        while group_id is not None:
            group = self.groups[group_id]
            line.append(group)
            group_id = group.parent_id
        return line

    def descendants(self, group_id: int) -> list[Group]:
        """Every group below this one, by id."""
        inside = {group_id}
        found = []
        for group in sorted(self.groups.values(), key=lambda each: (each.full_path.count("/"), each.id)):
            if group.parent_id in inside:
                inside.add(group.id)
                found.append(group)
        return sorted(found, key=lambda each: each.id)

    def group_at(self, key: str) -> Group | None:
        """Find a group by id or full path, as GitLab's `:id` allows."""
        if key.isdecimal():
            return self.groups.get(int(key))
        return next((group for group in self.groups.values() if group.full_path == key), None)

    def project_at(self, key: str) -> Project | None:
        """Find a project by id or full path."""
        if key.isdecimal():
            return self.projects.get(int(key))
        return next((project for project in self.projects.values() if project.full_path == key), None)

    def projects_of(self, group_ids: set[int]) -> list[Project]:
        """The projects that live directly in these groups."""
        return [project for project in self.projects.values() if project.group_id in group_ids]

    def remove_project(self, project_id: int) -> None:
        """Delete a project with its members, hooks and pipelines."""
        del self.projects[project_id]
        self.members.pop(("project", project_id), None)
        self.invitations.pop(("project", project_id), None)
        self.pipelines.pop(project_id, None)
        self.hooks.pop(("project", project_id), None)
        self.repositories.pop(project_id, None)
        self.merge_requests.pop(project_id, None)
        self.environments.pop(project_id, None)
        self.deployments.pop(project_id, None)

    def remove_group(self, group_id: int) -> list[int]:
        """Delete a group with everything below it, and its shares elsewhere; returns the ids of the groups."""
        doomed = {group_id, *(group.id for group in self.descendants(group_id))}
        for project in self.projects_of(doomed):
            self.remove_project(project.id)
        for number in doomed:
            del self.groups[number]
            self.members.pop(("group", number), None)
            self.invitations.pop(("group", number), None)
            self.hooks.pop(("group", number), None)
        sources: list[Group | Project] = [*self.groups.values(), *self.projects.values()]
        for source in sources:
            source.shares = [share for share in source.shares if share.group_id not in doomed]
        return sorted(doomed)

    def pipeline_count(self) -> int:
        """How many pipelines were ever made and not deleted."""
        return sum(map(len, self.pipelines.values()))
