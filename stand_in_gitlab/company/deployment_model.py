"""Environments and deployments as GitLab keeps them."""

import re
from dataclasses import dataclass

STATUSES = frozenset({"created", "running", "success", "failed", "canceled", "skipped", "blocked"})
"""`status` of app/models/deployment.rb."""

FINISHED = frozenset({"success", "failed", "canceled"})
"""What gives a deployment its `finished_at` (the same file)."""

_TIERS = (
    ("development", r"(dev|review|trunk)"),
    ("testing", r"(test|tst|int|ac(ce|)pt|qa|qc|control|quality)"),
    ("staging", r"(st(a|)g|mod(e|)l|pre|demo|non)"),
    ("production", r"(pr(o|)d|live)"),
)


def guessed_tier(name: str) -> str:
    """The tier of an environment that names none (`guess_tier` in app/models/environment.rb)."""
    return next((tier for tier, pattern in _TIERS if re.search(pattern, name, re.IGNORECASE)), "other")


@dataclass(slots=True, kw_only=True)
class Environment:
    """Where a project is deployed to."""

    id: int
    project_id: int
    name: str
    tier: str
    created: float
    updated: float
    state: str = "available"

    @property
    def slug(self) -> str:
        """Its name for addresses (lib/gitlab/slug/environment.rb, without the suffix of changed ones)."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower())[:24].strip("-")

    @property
    def external_url(self) -> str:
        """Where what is deployed can be seen."""
        return f"https://{self.slug}.acme.example"

    @property
    def links_merge_requests(self) -> bool:
        """Whether deployments to it are linked with merge requests.

        `should_link_to_merge_requests?` in app/models/environment.rb: a name with a slash has a folder.
        """
        return "/" not in self.name or self.tier in {"production", "staging"}


@dataclass(slots=True, kw_only=True)
class Deployment:
    """One deployment; without a `job` it was made over the API."""

    id: int
    iid: int
    project_id: int
    environment_id: int
    ref: str
    tag: bool
    sha: str
    status: str
    user_id: int
    created: float
    updated: float
    finished: float | None = None
    job: tuple[int, int] | None = None
    """The pipeline and the job that deploys."""
    merge_requests: tuple[int, ...] = ()
    """The iids of those that came along."""
