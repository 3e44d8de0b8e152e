"""Builds a whole company from a seed and its sizes."""

from dataclasses import dataclass

from stand_in_gitlab.ci.history import write_history
from stand_in_gitlab.company.credentials import add_credentials
from stand_in_gitlab.company.estate import found_groups, found_projects
from stand_in_gitlab.company.grants import staff
from stand_in_gitlab.company.hooks import add_hooks
from stand_in_gitlab.company.people import hire
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.company.tokens import issue


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How big the company is; bots and service accounts come on top of `users`."""

    users: int = 60
    groups: int = 12
    projects: int = 30
    pipelines: int = 5
    jobs: int = 8


def build(seed: int, epoch: float, sizes: Sizes) -> Company:
    """The same seed, epoch and sizes always give the same company."""
    if min(sizes.users, sizes.groups, sizes.projects) < 1:
        message = "a company needs at least one user, one group and one project"
        raise ValueError(message)
    company = Company(seed, round(epoch, 3))
    hire(company, max(sizes.users, 2))
    found_groups(company, sizes.groups)
    found_projects(company, sizes.projects)
    staff(company)
    issue(company)
    add_credentials(company)
    add_hooks(company)
    write_history(company, sizes.pipelines, sizes.jobs)
    return company
