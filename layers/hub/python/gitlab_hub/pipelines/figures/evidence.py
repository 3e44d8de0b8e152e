"""What single days cannot add up: jobs that are flaky over several days, and recoveries that end on another day.

Both need the order or the commits of single pipelines, so a project's day keeps what may matter of them:

- `flaky`: class of ref → the jobs' `names`; `failed`: [commit, number of the name, failed attempts, successes, wasted
  milliseconds, last failure, its pipeline, its job]; `passed`: commit → number in `sets` of the [name, successes] of
  the jobs that never failed on it.
- `ends`: [created, id, ended, 1 = success] for each pipeline of the default branch at which success and failure take
  turns, and for each success that is the first to be created behind the end of a failure.
- `without`: which of the two is not there, or not whole, because there is no room for it.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitlab_hub.pipelines.figures.facts import CHILD, PipelineFact

Evidence = dict[str, Any]

FLAKY, ENDS, WITHOUT = "flaky", "ends", "without"

MOST_EXAMPLES = 3
MOST_FAILED = 2_000
"""Commits and jobs with failures that a project's day keeps."""


@dataclass(slots=True)
class _Pair:
    """One job on one commit."""

    failed: int = 0
    success: int = 0
    wasted: int = 0
    last_at: int = 0
    example: tuple[int, int] = (0, 0)


class EvidenceCollector:
    """Collects what a project's day keeps of its pipelines."""

    def __init__(self) -> None:
        self._pairs: dict[str, dict[tuple[str, str], _Pair]] = defaultdict(dict)
        self._ends: list[list[int]] = []

    def note(self, fact: PipelineFact) -> None:
        """Add a pipeline."""
        if fact.commit:
            _collect(self._pairs[fact.ref_class], fact)
        # A child is a part of its parent, which ends as it does or in spite of it.
        on_main = fact.ref_class == "default_branch" and fact.source != CHILD
        if on_main and fact.first_status in {"success", "failed"} and fact.ended_at is not None:
            self._ends.append([fact.created_at, fact.id, fact.ended_at, int(fact.first_status == "success")])

    def collected(self) -> Evidence:
        """What is kept."""
        flaky = {name: _packed(pairs) for name, pairs in self._pairs.items() if pairs}
        is_cut = any(sum(pair.failed > 0 for pair in pairs.values()) > MOST_FAILED for pairs in self._pairs.values())
        return {FLAKY: flaky, ENDS: turns(self._ends), WITHOUT: [FLAKY] if is_cut else []}


def lighter(evidence: Evidence) -> Iterator[Evidence]:
    """The evidence, and what is left of it where there is less and less room."""
    yield evidence
    for name in (FLAKY, ENDS):
        if name in evidence:
            kept = {key: value for key, value in evidence.items() if key != name}
            evidence = {**kept, WITHOUT: [*(one for one in evidence[WITHOUT] if one != name), name]}
            yield evidence


def is_whole(evidence: Evidence, name: str) -> bool:
    """Whether the evidence of flaky jobs (`FLAKY`), or of recoveries (`ENDS`), is all there."""
    return name not in evidence.get(WITHOUT, ())


def turns(ends: Iterable[list[int]]) -> list[list[int]]:
    """Of ends, in the order of their creation, those that recoveries follow from.

    Of several successes in a row the first counts, and the first that was created behind the end of an earlier failure.
    So a failure of these is recovered from as in all ends; one of an earlier day that ended after the first success of
    this one, perhaps with a later success.
    """
    kept: list[list[int]] = []
    failures: list[int] = []
    for created, number, ended, success in sorted(ends):
        is_behind = False
        while success and failures and failures[0] <= created:
            heapq.heappop(failures)
            is_behind = True
        if is_behind or not kept or kept[-1][3] != success:
            kept.append([created, number, ended, success])
            if not success:
                heapq.heappush(failures, ended)
    return kept


def recoveries(ends: Iterable[list[int]]) -> list[int]:
    """Seconds from the end of each first failure after a success to that of the recovery, sorted.

    The recovery is the next success that was created when that failure had ended: what was under way beside it says
    nothing of a repair.
    """
    found: list[int] = []
    failed_at, last = None, None
    for created, _, ended, success in turns(ends):
        if failed_at is None:
            failed_at = ended if last and not success else None
        elif success and created >= failed_at:
            found.append(max(0, ended - failed_at))
            failed_at = None
        last = success
    return sorted(found)


class Flakiness:
    """The jobs of one project over some days: which of them failed and succeeded on the same commit."""

    def __init__(self, project_id: int) -> None:
        self._project_id = project_id
        self._pairs: dict[str, dict[str, list[int]]] = defaultdict(dict)

    def note(self, flaky: Mapping[str, Any], ref_class: str | None) -> None:
        """Add a day."""
        for name, part in flaky.items():
            if ref_class in {None, name}:
                self._note(part)

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row for each flaky job; `wasted` is in milliseconds, `ran` the commits on which it failed or passed."""
        for job, pairs in self._pairs.items():
            found = sorted(
                (pair for pair in pairs.values() if pair[0] and pair[1]), key=lambda pair: (-pair[3], -pair[5])
            )
            if found:
                yield {
                    "project_id": self._project_id,
                    "job_name": job,
                    "commits": len(found),
                    "ran": len(pairs),
                    "failed": sum(pair[0] for pair in found),
                    "success": sum(pair[1] for pair in found),
                    "wasted": sum(pair[2] for pair in found),
                    "last_seen_at": found[0][3] or None,
                    "examples": [{"pipeline_id": pair[4], "job_id": pair[5]} for pair in found[:MOST_EXAMPLES]],
                }

    def _note(self, part: Mapping[str, Any]) -> None:
        names = part["names"]
        for sha, number, *told in part["failed"]:
            pair = self._pair(names[number], sha)
            pair[:3] = [mine + more for mine, more in zip(pair, told[:3], strict=False)]
            if (told[3], told[5]) > (pair[3], pair[5]):
                pair[3:] = told[3:]
        for sha, place in part["passed"].items():
            for number, count in part["sets"][place]:
                self._pair(names[number], sha)[1] += count

    def _pair(self, job: str, sha: str) -> list[int]:
        """[failed, success, wasted milliseconds, last failure, its pipeline, its job] of a job on a commit."""
        return self._pairs[job].setdefault(sha, [0, 0, 0, 0, 0, 0])


def _collect(pairs: dict[tuple[str, str], _Pair], fact: PipelineFact) -> None:
    for job in fact.jobs:
        if job.status != "success" and not job.is_flaw:
            continue
        pair = pairs.setdefault((fact.commit, job.name), _Pair())
        if job.status == "success":
            pair.success += 1
            continue
        pair.failed += 1
        pair.wasted += round((job.duration or 0) * 1000)
        if (job.finished_at or 0, job.id) > (pair.last_at, pair.example[1]):
            pair.last_at, pair.example = job.finished_at or 0, (fact.id, job.id)


def _packed(pairs: Mapping[tuple[str, str], _Pair]) -> Evidence:
    names = sorted({name for _, name in pairs})
    numbers = {name: number for number, name in enumerate(names)}
    failed = [
        [sha, numbers[name], pair.failed, pair.success, pair.wasted, pair.last_at, *pair.example]
        for (sha, name), pair in sorted(pairs.items())
        if pair.failed
    ]
    failed.sort(key=lambda one: not one[3])  # Where there are too many, those that succeeded as well are kept.
    passed: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for (sha, name), pair in sorted(pairs.items()):
        if not pair.failed:
            passed[sha].append((numbers[name], pair.success))
    sets = sorted({tuple(found) for found in passed.values()})
    places = {found: number for number, found in enumerate(sets)}
    return {
        "names": names,
        "failed": failed[:MOST_FAILED],
        "passed": {sha: places[tuple(found)] for sha, found in passed.items()},
        "sets": [[list(one) for one in found] for found in sets],
    }
