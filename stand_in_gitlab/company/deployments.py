"""What deploying does: an environment, a deployment, and the merge requests that come along."""

from collections.abc import Iterator

from stand_in_gitlab.company.code import repository_of
from stand_in_gitlab.company.code_model import MergeRequest
from stand_in_gitlab.company.deployment_model import FINISHED, Deployment, Environment, guessed_tier
from stand_in_gitlab.company.state import Company


def environment_of(company: Company, project_id: int, name: str, now: float, tier: str | None = None) -> Environment:
    """The environment of this name, made where there is none; `tier` is what a job names (`deployment_tier`)."""
    known = company.environments[project_id]
    found = next((one for one in known.values() if one.name == name), None)
    if found is None:
        found = Environment(
            id=company.next_id("environment"), project_id=project_id, name=name, tier=guessed_tier(name),
            created=now, updated=now,
        )  # fmt: skip
        known[found.id] = found
    if tier is not None and tier != found.tier:
        found.tier, found.updated = tier, now
    return found


def move(company: Company, deployment: Deployment, status: str, now: float) -> None:
    """Give a deployment another status, with what follows from it (app/models/deployment.rb)."""
    deployment.status, deployment.updated = status, now
    if status in FINISHED:
        deployment.finished = now
    environment = company.environments[deployment.project_id][deployment.environment_id]
    if status == "success" and environment.links_merge_requests:
        deployment.merge_requests = tuple(_linked(company, deployment))


def _linked(company: Company, deployment: Deployment) -> Iterator[int]:
    """The merge requests since the last success there; of the first one all that were ever merged into its ref.

    app/services/deployments/link_merge_requests_service.rb.
    """
    merged = [one for one in company.merge_requests[deployment.project_id].values() if one.state == "merged"]
    before = _previous(company, deployment)
    if before is None:
        yield from (one.iid for one in merged if one.target_branch == deployment.ref)
        return
    repository = repository_of(company, deployment.project_id)
    arrived = {commit.sha for commit in repository.between(before.sha, deployment.sha)}
    yield from (one.iid for one in merged if one.merge_commit in arrived)


def _previous(company: Company, deployment: Deployment) -> Deployment | None:
    earlier = [
        one
        for one in company.deployments[deployment.project_id].values()
        if one.environment_id == deployment.environment_id and one.status == "success" and one.id < deployment.id
    ]
    return max(earlier, key=lambda one: one.id, default=None)


def merge_requests_of(company: Company, deployment: Deployment) -> list[MergeRequest]:
    """The merge requests that came along, newest first."""
    known = company.merge_requests[deployment.project_id]
    return [known[iid] for iid in sorted(deployment.merge_requests, reverse=True)]
