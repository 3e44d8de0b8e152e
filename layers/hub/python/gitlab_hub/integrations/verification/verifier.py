"""Running a verification: one request per decision, every step reported, all of it within one deadline."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from math import inf

from gitlab_hub.gitlab.address import Address
from gitlab_hub.gitlab.errors import GitLabError, HostNotAllowed, HostUnreachable
from gitlab_hub.gitlab.options import Tokens
from gitlab_hub.integrations.connector import Connector, FixedToken
from gitlab_hub.integrations.model import Features, GitLabUser
from gitlab_hub.integrations.verification.checks import (
    Check,
    Facts,
    Step,
    Verification,
    errored,
    needless,
    passed,
    skipped,
    unproven,
    warned,
)
from gitlab_hub.integrations.verification.connectivity import is_gitlab, probe_unauthenticated
from gitlab_hub.integrations.verification.probe import Named, Probe

DEADLINE_SECONDS = 25.0
"""API Gateway gives up after 30 s; the answer must still be written."""

RESERVE_SECONDS = 4.0
"""What is kept of the function's time for that, and for ending a pair that failed to verify."""

TOKEN_STEPS = (Step.URL, Step.HOST, Step.CONNECT, Step.TLS, Step.TOKEN, Step.ACCOUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is to be verified."""

    host_url: str
    token: str = field(repr=False)
    group: str | None = None
    group_id: int | None = None
    """Which group that is, if it is known; its path may be an old one then."""
    features: Features = field(default_factory=Features)
    """What the token is wanted for beyond reading."""
    oauth: bool = False
    """Whether the token came from an OAuth application; GitLab describes such a one elsewhere."""
    tokens: Tokens | None = None
    """Where a stored token comes from, so that one that GitLab refuses is renewed first; None = it was just given."""


class Verifier:
    """Finds out whether a token works, and says precisely what is wrong where it does not."""

    def __init__(
        self,
        connector: Connector,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        deadline: float = DEADLINE_SECONDS,
        left: Callable[[], float] = lambda: inf,
    ) -> None:
        self._connector, self._now, self._clock = connector, now, clock
        self._deadline, self._left = deadline, left

    def verify(self, subject: Subject, shared: Callable[[str, GitLabUser], bool]) -> Verification:
        """Take all steps. `shared` knows whether another credential belongs to the same GitLab user."""
        verification = asyncio.run(self._run(subject, tuple(Step)[:-1]))
        facts = verification.facts
        if not verification.ok or facts.account is None or facts.base_url is None:
            last = skipped((Step.AFTER,), "an earlier step failed")
        else:
            last = after(facts, subject.features, shared=shared(facts.base_url, facts.account))
        return Verification(checks=(*verification.checks, *last), facts=facts)

    def check_token(self, subject: Subject) -> Verification:
        """Take only the steps about the token and its user."""
        return asyncio.run(self._run(subject, TOKEN_STEPS))

    def look(self, host_url: str) -> Verification:
        """Find out without any token whether a GitLab is there at all."""
        return asyncio.run(self._look(host_url))

    async def _look(self, host_url: str) -> Verification:
        steps = TOKEN_STEPS[:4]
        try:
            address = self._connector.address(host_url)
        except HostNotAllowed as error:
            return _ended([passed(Step.URL), errored(Step.HOST, error)], steps)
        except GitLabError as error:
            return _ended([errored(Step.URL, error)], steps)
        async with self._connector.open(address, FixedToken("")) as gitlab:
            checks = [passed(Step.URL), *is_gitlab(await probe_unauthenticated(gitlab))]
        return _ended(_by(address, checks), steps, Facts(base_url=address.base_url))

    async def _run(self, subject: Subject, steps: tuple[Step, ...]) -> Verification:
        try:
            address = self._connector.address(subject.host_url)
        except HostNotAllowed as error:
            return _ended([passed(Step.URL), errored(Step.HOST, error)], steps)
        except GitLabError as error:
            return _ended([errored(Step.URL, error)], steps)
        async with self._connector.open(address, subject.tokens or FixedToken(subject.token)) as gitlab:
            now, oauth = int(self._now()), subject.oauth
            group = None if subject.group is None else Named(subject.group, subject.group_id)
            probe = Probe(gitlab, subject.token, group, writes=subject.features.write, now=now, oauth=oauth)
            checks = await self._take(probe, steps)
        return _ended(_by(address, checks), steps, replace(probe.facts, base_url=address.base_url))

    async def _take(self, probe: Probe, steps: tuple[Step, ...]) -> list[Check]:
        checks = [passed(Step.URL)]
        try:
            # Whatever came before, such as the renewal of a token, has taken its part of the function's time.
            async with asyncio.timeout(min(self._deadline, max(0.0, self._left() - RESERVE_SECONDS))):
                # One by one: what was found before time is up is kept.
                async for check in probe.run(steps, self._clock):
                    checks.append(check)  # noqa: PERF401
        except TimeoutError:
            tried = {check.step for check in checks}
            late = next(step for step in steps if step not in tried)
            checks.append(errored(late, HostUnreachable("GitLab took too long to answer.")))
        return checks


def after(facts: Facts, features: Features, *, shared: bool) -> tuple[Check, ...]:
    """What could be better about a credential that works, and what it has not shown yet."""
    warnings = []
    if shared:
        warnings.append(warned(Step.AFTER, "shared_rate_limit"))
    if not features.write and "api" in facts.token.scopes:
        warnings.append(warned(Step.AFTER, "overprivileged_token"))
    if untested := unproven(features, facts.token):
        warnings.append(untested)
    return tuple(warnings) or (passed(Step.AFTER),)


def _by(address: Address, checks: list[Check]) -> list[Check]:
    """The checks without a word on TLS where there is none."""
    if address.scheme == "https":
        return checks
    plain = needless(Step.TLS, "the address is http, which has no TLS")
    return [plain if check.step == Step.TLS and check.ok else check for check in checks]


def _ended(checks: list[Check], steps: Iterable[Step], facts: Facts | None = None) -> Verification:
    tried = {check.step for check in checks}
    failed = next((check.step for check in checks if not check.ok), None)
    rest = skipped([step for step in steps if step not in tried], f"the step `{failed}` failed")
    return Verification(checks=(*checks, *rest), facts=facts or Facts())
