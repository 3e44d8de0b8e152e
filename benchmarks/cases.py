"""What is measured: the company that the stand-in GitLab plays, and how slow it and DynamoDB answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

PIPELINES, JOBS = 10, 8
"""Per project, and per pipeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Two access and two pipelines syncs of one company, the second ones with nothing changed."""

    users: int
    groups: int
    projects: int
    latency_ms: int
    store_ms: int = 0
    """How long every operation of DynamoDB takes."""
    by_rest: bool = False
    """Whether members and pipelines are read by REST alone."""
    deployments: bool = False
    """Whether deployments are read with the pipelines."""
    floor_is_timed: bool = False
    """Whether a bare client is timed although latency alone gives a floor: GraphQL takes longer than that."""

    @property
    def sizes(self) -> tuple[str, ...]:
        """The company, as options of the stand-in GitLab."""
        sizes = {"users": self.users, "groups": self.groups, "projects": self.projects}
        sizes |= {"pipelines": PIPELINES, "jobs": JOBS}
        return tuple(text for name, size in sizes.items() for text in (f"--{name}", str(size)))


def full() -> Sequence[Case]:
    """The benchmark as it is meant; a slow DynamoDB is shown on a fifth of the projects."""
    large: dict[str, Any] = {"users": 2_000, "groups": 200}
    return [
        Case(**large, projects=1_000, latency_ms=0),
        Case(**large, projects=1_000, latency_ms=50),
        Case(**large, projects=1_000, latency_ms=150),
        Case(**large, projects=200, latency_ms=50, store_ms=5),
    ]


def members(*, quick: bool) -> Sequence[Case]:
    """The company, its members read by GraphQL and by REST; pipelines are none of it."""
    scale = 10 if quick else 1
    return [
        Case(users=2_000 // scale, groups=200 // scale, projects=1_000 // scale, latency_ms=ms, by_rest=by_rest)
        for ms in (0, 50)
        for by_rest in (False, True)
    ]


def pipelines(*, quick: bool) -> Sequence[Case]:
    """The company, its pipelines read by GraphQL and by REST's lists; last with its deployments too."""
    sizes: dict[str, Any] = {"users": 200, "groups": 20 if quick else 200, "projects": 100 if quick else 1_000}
    sizes |= {"floor_is_timed": True}
    return [
        *(Case(**sizes, latency_ms=ms, by_rest=by_rest) for ms in (0, 50, 150) for by_rest in (False, True)),
        Case(**sizes, latency_ms=50, deployments=True),
    ]


def quick() -> Sequence[Case]:
    """A tenth of it, for whoever changes something."""
    small: dict[str, Any] = {"users": 200, "groups": 20, "projects": 100}
    return [
        Case(**small, latency_ms=0),
        Case(**small, latency_ms=50),
        Case(**small, latency_ms=150),
        Case(**small, latency_ms=50, store_ms=5),
    ]
