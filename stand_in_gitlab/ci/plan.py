"""Plans a pipeline's jobs from the seed; nothing is stored, the same pipeline always plans alike."""

from collections.abc import Iterator
from functools import lru_cache

from stand_in_gitlab.ci.model import Attempt, Pipeline
from stand_in_gitlab.company.names import JOBS
from stand_in_gitlab.company.prng import Prng, prng

REASONS = [
    "script_failure",
    "runner_system_failure",
    "stuck_or_timeout_failure",
    "job_execution_timeout",
    "ci_quota_exceeded",
]
REASON_WEIGHTS = [80, 8, 5, 5, 2]
STOPS = frozenset({"failed", "canceled", "skipped"})
FAILURE, RETRY, FLAKY_ALLOWED = 0.06, 0.5, 0.1


class Planner:
    """Knows the attempts of every pipeline of one seed."""

    def __init__(self, seed: int, *, kept: int = 4096) -> None:
        self._seed = seed
        self._planned = lru_cache(maxsize=kept)(self._plan)

    def attempts(self, pipeline: Pipeline) -> list[Attempt]:
        """All attempts ever planned or added, jobs and bridges, in the order of their ids."""
        bridge = [self._bridge(pipeline, pipeline.child)] if pipeline.child else []
        return [*self._first_run(pipeline), *bridge, *pipeline.extra]

    def _first_run(self, pipeline: Pipeline) -> list[Attempt]:
        key = (pipeline.id, pipeline.job_base, pipeline.jobs, pipeline.shape, pipeline.created)
        return self._planned(*key, pipeline.settled_before)

    def _bridge(self, parent: Pipeline, child: Pipeline) -> Attempt:
        """The trigger job mirrors the first run of the child it started; later retries do not reopen it."""
        run = self._first_run(child)
        ends = [attempt.finished for attempt in run]
        failed = any(each.outcome == "failed" and not each.allow_failure for each in latest(run))
        return Attempt(
            id=parent.job_base + 2 * parent.jobs,
            name="trigger-child",
            stage="build",
            created=parent.created,
            queued=child.created,
            started=child.created,
            finished=max(ends, default=child.created),
            outcome="failed" if failed else "success",
            downstream=child.id,
            failure_reason="downstream_pipeline_creation_failed" if failed else None,
            allow_failure=True,
        )

    def _plan(self, number: int, base: int, jobs: int, shape: str, created: float, settled: bool) -> list[Attempt]:  # noqa: FBT001 - the cache's key
        return list(_Drawing(prng(self._seed, "pipeline", number), base, created, shape, may_retry=settled).draw(jobs))


class _Drawing:
    """Lays the jobs of one pipeline out in time, stage after stage."""

    def __init__(self, chance: Prng, base: int, created: float, shape: str, *, may_retry: bool) -> None:
        self._chance, self._next_id, self._created, self._shape = chance, base, created, shape
        self._may_retry = may_retry
        self._at = created + chance.uniform(0.4, 3)
        self._broken = False

    def draw(self, jobs: int) -> Iterator[Attempt]:
        """All attempts: first one per job, then the second tries of those that failed."""
        if self._shape == "skipped":
            return
        for stage, names in _stages(jobs):
            first = [self._attempt(name, stage) for name in names]
            again = [self._again(attempt) for attempt in first if self._is_retried(attempt)]
            yield from [*first, *again]
            self._close(latest([*first, *again]))

    def _is_retried(self, attempt: Attempt) -> bool:
        return self._may_retry and attempt.outcome == "failed" and self._chance.hits(RETRY)

    def _close(self, stage: list[Attempt]) -> None:
        """The next stage starts when this one has ended, and only if nothing in it went wrong."""
        self._at = round(max([self._at, *(attempt.finished for attempt in stage)]) + 0.3, 6)
        self._broken |= any(each.outcome in STOPS and not each.allow_failure for each in stage)

    def _attempt(self, name: str, stage: str) -> Attempt:
        queued = round(self._at + self._chance.uniform(0, 0.2), 6)
        started = round(queued + self._chance.expovariate(1 / 12), 6)
        finished = round(started + self._chance.uniform(8, 240), 6)
        self._next_id += 1
        attempt = Attempt(
            id=self._next_id - 1,
            name=name,
            stage=stage,
            created=self._created,
            queued=queued,
            started=started,
            finished=finished,
            outcome="success",
            allow_failure=self._chance.hits(FLAKY_ALLOWED),
        )
        self._decide(attempt)
        return attempt

    def _decide(self, attempt: Attempt) -> None:
        if self._broken:
            self._idle(attempt, "skipped")
        elif attempt.stage == "deploy" and self._shape in {"manual", "scheduled"}:
            self._idle(attempt, self._shape)
            attempt.allow_failure = False
        elif attempt.stage == "test" and self._shape == "canceled":
            attempt.outcome = "canceled"
        elif self._chance.hits(FAILURE):
            _fail(attempt, self._chance)

    @staticmethod
    def _idle(attempt: Attempt, outcome: str) -> None:
        attempt.outcome = outcome
        attempt.started = attempt.finished = attempt.queued

    def _again(self, attempt: Attempt) -> Attempt:
        second = self._attempt(attempt.name, attempt.stage)
        shift = attempt.finished + 1.5 - second.queued
        second.created = round(attempt.finished + 1.5, 6)
        second.queued, second.started = second.created, round(second.started + shift, 6)
        second.finished = round(second.finished + shift, 6)
        second.allow_failure = attempt.allow_failure
        return second


def _fail(attempt: Attempt, chance: Prng) -> None:
    attempt.outcome = "failed"
    attempt.failure_reason = chance.choices(REASONS, REASON_WEIGHTS)[0]


def _stages(jobs: int) -> Iterator[tuple[str, list[str]]]:
    """Spread a number of jobs over the stages: a quarter builds, most test, an eighth deploys."""
    builds = max(1, jobs // 4) if jobs else 0
    deploys = jobs // 8 if jobs > 3 else 0  # noqa: PLR2004 - below that a pipeline only builds and tests
    for stage, count in (("build", builds), ("test", jobs - builds - deploys), ("deploy", deploys)):
        words = JOBS[stage]
        yield (
            stage,
            [words[n] if n < len(words) else f"{words[n % len(words)]} {n // len(words) + 1}" for n in range(count)],
        )


def latest(attempts: list[Attempt]) -> list[Attempt]:
    """The newest attempt of every job name."""
    return list({attempt.name: attempt for attempt in sorted(attempts, key=lambda each: each.id)}.values())
