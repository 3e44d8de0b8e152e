"""Where a token's user surely may read invitations, as far as its stored grants say; pure.

GitLab shows them to whoever may invite (`authorize_admin_source_member!` in lib/api/invitations.rb): Owners of a group
(`admin_group_member` in app/policies/group_policy.rb), Maintainers of a project (`admin_project_member` in
project_policy.rb), and administrators. Who is one by a group that was invited, or by a custom role, is not told here:
it has to be tried.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitlab_hub.access.model import Grant
from gitlab_hub.gitlab.fields import is_within
from gitlab_hub.inventory.model import ResourceType

LEAST = {ResourceType.GROUP: 50, ResourceType.PROJECT: 40}
"""The level that an invitation to one of these is shown to."""


@dataclass(frozen=True, slots=True)
class InvitationRights:
    """What is known of the rights of a token's user over groups, or over projects."""

    is_admin: bool
    groups: tuple[str, ...] = ()
    """Full paths of groups in which, and below which, it has the level."""
    projects: frozenset[int] = frozenset()

    @classmethod
    def of(cls, kind: ResourceType, grants: Iterable[Grant], paths: Mapping[int, str]) -> "InvitationRights":
        """Read them from the user's own grants; `paths` has the full paths of groups by their ids."""
        enough = [grant for grant in grants if grant.access_level >= LEAST[kind]]
        groups = {grant.resource_id for grant in enough if grant.resource_type == ResourceType.GROUP}
        projects = {grant.resource_id for grant in enough if grant.resource_type == ResourceType.PROJECT}
        return cls(False, tuple(sorted(paths[one] for one in groups if one in paths)), frozenset(projects))

    def cover(self, kind: ResourceType, number: int, path: str) -> bool:
        """Whether the user has the level in this group or project, there or above it."""
        if self.is_admin or (kind is ResourceType.PROJECT and number in self.projects):
            return True
        return any(is_within(path, group) for group in self.groups)
