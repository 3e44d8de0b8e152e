"""What all ways together mean: the level, what would end it, and what happens next. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from gitlab_hub.access.effective.paths import AccessPath, Edge, GrantKind
from gitlab_hub.gitlab.roles import OWNER

DAY = 86_400
JOB_AT = 600
"""Seconds behind midnight (UTC) at which GitLab ends what is over."""


@dataclass(frozen=True, slots=True)
class EffectiveAccess:
    """An account's access to one group or project: every way, the best first; none = no access."""

    paths: Sequence[AccessPath]

    @property
    def level(self) -> int:
        """GitLab's level: the highest of all ways."""
        return self.paths[0].level if self.paths else 0

    @property
    def revoke_at(self) -> list[Edge]:
        """The memberships whose removal ends the access: all of these, and no fewer.

        Each way begins with one membership, so without them none is left, and each of them alone is enough for one.
        What cannot be taken away (a personal namespace's owner, an administrator) leaves nothing to remove.
        """
        if any(not path.edges for path in self.paths):
            return []
        return list(dict.fromkeys(path.edges[0] for path in self.paths))

    def next_change_at(self, now: float) -> int | None:
        """The day (its first second, UTC) on which the level will change by itself; None = it will not.

        GitLab removes what is over with nightly jobs, at 00:10 unless configured otherwise (config/initializers/
        1_settings.rb, `remove_expired_members_worker`, `remove_expired_group_links_worker`): what is overdue goes then.
        """
        next_night = ((int(now) - JOB_AT) // DAY + 1) * DAY
        days = sorted({max(end, next_night) for path in self.paths if (end := path.ends_at) is not None})
        for day in days:
            left = (path.level for path in self.paths if path.ends_at is None or path.ends_at > day)
            if max(left, default=0) != self.level:
                return day
        return None


IMPLIED = AccessPath(kind=GrantKind.IMPLIED, level=OWNER)
"""The way of an administrator: Owner of everything, without any membership that could be removed."""
