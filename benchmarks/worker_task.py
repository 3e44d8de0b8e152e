"""What the measuring process tells the worker; apart from it, so that only the worker loads the hub's code."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """One sync to run."""

    kind: str
    base: str
    token: str
    user_id: int
    profile: bool = False
    by_rest: bool = False
    """Whether members and pipelines are read by REST alone."""
    ahead: int = 0
    """How far the worker's clock is ahead of the real one (seconds)."""
    deployments: bool = False
    """Whether deployments are read with the pipelines."""
