"""Writes the pipelines of the past, and the new ones while time moves on."""

from stand_in_gitlab.ci.model import Pipeline
from stand_in_gitlab.clock import DAY
from stand_in_gitlab.company.model import Project
from stand_in_gitlab.company.prng import Prng, prng, token_hex
from stand_in_gitlab.company.state import Company

SHAPES = ["normal", "skipped", "manual", "canceled", "scheduled"]
SHAPE_WEIGHTS = [90, 2, 4, 3, 1]
SOURCES = ["push", "merge_request_event", "schedule", "web", "api", "trigger"]
SOURCE_WEIGHTS = [55, 25, 10, 4, 3, 3]
RUNNING, CHILD = 0.1, 0.08


def write_history(company: Company, pipelines: int, jobs: int) -> None:
    """Give every project its past: `pipelines` parents each, oldest first, some with a child."""
    for project in company.projects.values():
        if not project.builds_enabled:
            continue
        chance = prng(company.seed, "history", project.id)
        for created in _moments(company.epoch, chance, pipelines):
            add_pipeline(company, project, created, jobs)


def _moments(epoch: float, chance: Prng, count: int) -> list[float]:
    """Past moments, oldest first; the newest may be so fresh that it still runs."""
    gap = chance.choice([0.2, 1, 3]) * DAY
    ages = [DAY * 1.1 + chance.expovariate(1 / gap)]
    for _ in range(count - 1):
        ages.append(ages[-1] + chance.expovariate(1 / gap) + 60)
    if chance.hits(RUNNING):
        ages[0] = chance.uniform(20, 300)
    return [round(epoch - age, 6) for age in reversed(ages[:count])]


def add_pipeline(company: Company, project: Project, created: float, jobs: int) -> Pipeline:
    """Start a pipeline at this moment, with a child where chance wants one."""
    number = company.next_id("pipeline")
    chance = prng(company.seed, "pipeline head", number)
    shape = chance.choices(SHAPES, SHAPE_WEIGHTS)[0]
    pipeline = _head(company, project, number, created, jobs, shape)
    pipeline.source = chance.choices(SOURCES, SOURCE_WEIGHTS)[0]
    pipeline.ref, pipeline.tag = _ref(project, pipeline, chance)
    if shape == "normal" and jobs and chance.hits(CHILD):
        pipeline.child = _child(company, project, pipeline, chance)
    project.last_activity = max(project.last_activity, created)
    return pipeline


def bare_pipeline(company: Company, project: Project, created: float) -> Pipeline:
    """A pipeline without jobs, for others to fill."""
    return _head(company, project, company.next_id("pipeline"), round(created, 6), 0, "normal")


def _head(company: Company, project: Project, number: int, created: float, jobs: int, shape: str) -> Pipeline:
    pipeline = Pipeline(
        id=number,
        iid=company.next_id(f"pipeline of {project.id}"),
        project_id=project.id,
        created=created,
        source="push",
        ref=project.default_branch or "main",
        sha=token_hex(company.seed, "sha", number, digits=40),
        user_id=project.creator_id,
        shape=shape,
        jobs=jobs,
        job_base=company.next_id("job", 2 * jobs + 1),
        settled_before=created < company.epoch - DAY,
    )
    company.pipelines[project.id][number] = pipeline
    return pipeline


def _child(company: Company, project: Project, parent: Pipeline, chance: Prng) -> Pipeline:
    created = round(parent.created + chance.uniform(4, 20), 6)
    child = _head(company, project, company.next_id("pipeline"), created, max(1, parent.jobs // 2), "normal")
    child.source, child.parent_id = "parent_pipeline", parent.id
    child.sha, child.ref, child.tag = parent.sha, parent.ref, parent.tag
    return child


def _ref(project: Project, pipeline: Pipeline, chance: Prng) -> tuple[str, bool]:
    if pipeline.source == "merge_request_event":
        return f"refs/merge-requests/{pipeline.iid}/head", False
    if pipeline.source == "push" and chance.hits(0.1):
        return f"v1.{pipeline.iid}.0", True
    if chance.hits(0.4):
        return f"feature/{chance.randrange(1, 400)}", False
    return project.default_branch or "main", False
