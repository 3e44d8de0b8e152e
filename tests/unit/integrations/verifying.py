"""One verification over a scripted GitLab."""

from collections.abc import Callable
from typing import Any

from gitlab_hub.gitlab.policy import NetworkPolicy
from gitlab_hub.integrations.verification.checks import Check, Step, Verification
from gitlab_hub.integrations.verification.verifier import Subject, Verifier
from tests.fakes.gitlab import CANARY, HOST, ScriptedConnector, ScriptedGitLab

NOW = 1_750_000_000  # 2025-06-15
Run = Callable[..., Verification]


def run_over(gitlab: ScriptedGitLab, policy: NetworkPolicy | None = None, **options: Any) -> Run:
    """Make a function that verifies a token there."""

    def verify(host_url: str = HOST, *, shared: bool = False, **more: Any) -> Verification:
        verifier = Verifier(ScriptedConnector(gitlab, policy), now=lambda: NOW, **{"clock": lambda: 0.0} | options)
        subject = Subject(host_url=host_url, **{"token": CANARY} | more)
        return verifier.verify(subject, lambda _host, _account: shared)

    return verify


def at(verification: Verification, step: Step) -> Check:
    return next(check for check in verification.checks if check.step is step)
