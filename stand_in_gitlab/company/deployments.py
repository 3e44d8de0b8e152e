"""What deploying does: an environment, a deployment, and the merge requests that come along."""

from collections.abc import Iterator

from stand_in_gitlab.clock import DAY
from stand_in_gitlab.company.code import commit, repository_of, touching
from stand_in_gitlab.company.code_model import MergeRequest
from stand_in_gitlab.company.deployment_model import FINISHED, Deployment, Environment, guessed_tier
from stand_in_gitlab.company.state import Company

HOUR = 3_600.0


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


def deliver(company: Company, project_id: int, changes: int, now: float) -> list[Deployment]:
    """A past of so many deliveries: one every other day, merged and brought to production some hours later.

    Every third one was followed by a deployment that failed, and by one that succeeded, half an hour after each other.
    """
    made = []
    for number in range(changes):
        merged = now - (2 * (changes - number) - 1) * DAY
        sha = _merged(company, project_id, f"delivery-{number + 1}", merged)
        ends = [(merged + (2 + number % 5) * HOUR, "success", sha)]
        if not (number + 1) % 3:
            begun, again = ends[0][0], _merged(company, project_id, f"delivery-{number + 1}-again", merged + HOUR)
            ends += [(begun + HOUR / 2, "failed", again), (begun + HOUR, "success", again)]
        made += [_deployed(company, project_id, status, head, at) for at, status, head in ends]
    return made


def _merged(company: Company, project_id: int, branch: str, now: float) -> str:
    """Merge a merge request; the answer is the commit that the default branch has then."""
    project, repository = company.projects[project_id], repository_of(company, project_id)
    target = project.default_branch or "main"
    wanted = touching(repository, repository.branches.get(target), [f"src/{branch}.py"], f"Merge branch '{branch}'")
    head = commit(company, repository, repository.branches.get(target), wanted, project.creator_id, now)
    request = MergeRequest(
        id=company.next_id("merge request"), iid=company.next_id(f"merge request of {project_id}"),
        project_id=project_id, source_project_id=project_id, source_branch=branch, target_branch=target,
        title=f"Merge {branch}", author_id=project.creator_id, sha=head.sha, created=now - HOUR, updated=now,
        state="merged", merged=now, merge_commit=head.sha,
    )  # fmt: skip
    company.merge_requests[project_id][request.iid] = request
    repository.branches[target] = head.sha
    return head.sha


def _deployed(company: Company, project_id: int, status: str, sha: str, now: float) -> Deployment:
    project, where = company.projects[project_id], environment_of(company, project_id, "production", now)
    made = Deployment(
        id=company.next_id("deployment"), iid=company.next_id(f"deployment of {project_id}"), project_id=project_id,
        environment_id=where.id, ref=project.default_branch or "main", tag=False, sha=sha, status="created",
        user_id=project.creator_id, created=now - 300, updated=now,
    )  # fmt: skip
    company.deployments[project_id][made.id] = made
    move(company, made, status, now)
    return made


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
