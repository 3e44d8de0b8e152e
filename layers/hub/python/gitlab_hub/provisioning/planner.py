"""Looking at operations: what each of them would change, as GitLab is now, and what stands against it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from gitlab_hub.gitlab.clients import GitLabConnection, GitLabs
from gitlab_hub.gitlab.errors import HostUnreachable
from gitlab_hub.gitlab.roles import OWNER
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.decisions import Decision, decide
from gitlab_hub.provisioning.facts import Facts, Hand, Member
from gitlab_hub.provisioning.limits import Spent, Touch, beyond
from gitlab_hub.provisioning.mirror import Mirror
from gitlab_hub.provisioning.model import Kind, Membership, Mode, Operation, Step, in_order
from gitlab_hub.provisioning.reading import LiveReader
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.sentences import sentence

DEADLINE_SECONDS = 20.0
"""For all that one plan has read: a request through the gateway lives for 30 seconds."""


class Planner:
    """Looks at operations. All calls block."""

    def __init__(self, gitlabs: GitLabs, mirror: Mirror, now: Callable[[], float]) -> None:
        self._gitlabs, self._mirror, self._now = gitlabs, mirror, now

    def look(self, connection: GitLabConnection, operations: Mapping[int, Operation]) -> tuple[list[Step], list[Touch]]:
        """Decide about all operations of a plan, by their numbers. Raises GitLabError."""
        fit = self._mirror.fit_for(connection.integration_id, operations.values())
        found = asyncio.run(self._read(connection, operations, fit))
        hand = self._hand(connection)
        looked = [
            (number, operations[number], facts, decide(operations[number], facts, hand)) for number, facts in found
        ]
        steps = [step_of(number, operation, facts, decision) for number, operation, facts, decision in looked]
        touches = [touch_of(number, facts, decision) for number, _, facts, decision in looked if decision.calls]
        return sorted(steps, key=lambda step: step.index), touches

    def ids_of(
        self, connection: GitLabConnection, paths: Collection[tuple[ResourceType, str]]
    ) -> dict[tuple[ResourceType, str], int]:
        """The ids of groups and projects by their full paths. Raises NotInGitLab or GitLabError."""

        async def ask() -> dict[tuple[ResourceType, str], int]:
            async with self._reading(connection) as reader:
                found = await asyncio.gather(*(reader.id_of(kind, path) for kind, path in paths))
            return dict(zip(paths, found, strict=True))

        return asyncio.run(ask())

    def again(self, connection: GitLabConnection, operation: Operation) -> Decision:
        """Decide about one operation that was planned, right before it is done. Raises GitLabError."""

        async def ask() -> Facts:
            async with self._reading(connection) as reader:
                return await reader.facts(operation)

        return decide(operation, asyncio.run(ask()), self._hand(connection))

    def membership(self, connection: GitLabConnection, operation: Operation) -> Membership | None:
        """What the account of an operation has there itself. Raises GitLabError."""

        async def ask() -> Member | None:
            async with self._reading(connection) as reader:
                return await reader.member(operation.resource_type, operation.resource_id, operation.account_id)

        member = asyncio.run(ask())
        return None if member is None else member.membership

    async def _read(
        self, connection: GitLabConnection, operations: Mapping[int, Operation], fit: Iterable[object]
    ) -> list[tuple[int, Facts]]:
        order, covered = in_order(operations), set(fit)
        ahead = [owners_ahead([operations[one] for one in order[:place]], operations[number])
                 for place, number in enumerate(order)]  # fmt: skip
        async with self._reading(connection) as reader:

            async def read(number: int, gone: set[int], coming: set[int]) -> tuple[int, Facts]:
                one = operations[number]
                is_fresh = (one.resource_type, one.resource_id) in covered
                return number, await reader.facts(one, is_fresh=is_fresh, counts=True, gone=gone, coming=coming)

            return await asyncio.gather(*(read(number, *owners) for number, owners in zip(order, ahead, strict=True)))

    @asynccontextmanager
    async def _reading(self, connection: GitLabConnection) -> AsyncIterator[LiveReader]:
        try:
            async with asyncio.timeout(DEADLINE_SECONDS), self._gitlabs.open(connection) as gitlab:
                yield LiveReader(gitlab, self._hand(connection))
        except TimeoutError:
            raise HostUnreachable("GitLab took too long to say what the plan touches; send fewer operations.") from None

    def _hand(self, connection: GitLabConnection) -> Hand:
        return Hand(
            account_id=connection.user_id,
            is_admin=connection.is_admin,
            scopes=connection.scopes,
            today=datetime.fromtimestamp(self._now(), UTC).date().isoformat(),
        )


def owners_ahead(earlier: Sequence[Operation], operation: Operation) -> tuple[set[int], set[int]]:
    """Who may stop being an Owner, and who becomes one, by operations that are done before one in the same place."""
    here = [one for one in earlier if one.subject[:2] == operation.subject[:2]]
    coming = {one.account_id for one in here if one.kind is Kind.GRANT and one.access_level == OWNER}
    lowers = [
        one for one in here if one.kind is Kind.REVOKE or (one.mode == Mode.EXACTLY and one.access_level != OWNER)
    ]
    return {one.account_id for one in lowers}, coming


def step_of(number: int, operation: Operation, facts: Facts, decision: Decision) -> Step:
    """An operation with what was decided about it."""
    return Step(
        index=number,
        operation=operation,
        account=facts.person.label if facts.person else "",
        full_path=facts.place.full_path if facts.place else "",
        sentence=sentence(operation, facts, decision),
        before=decision.before,
        after=decision.after,
        calls=decision.calls,
        refusals=tuple(map(str, decision.refusals)),
    )


def touch_of(number: int, facts: Facts, decision: Decision) -> Touch:
    """What an operation takes of the limits."""
    place = f"{facts.place.type}#{facts.place.id}" if facts.place else ""
    changed = facts.person.id if decision.changes_member and facts.person else None
    return Touch(index=number, place=place, member_count=facts.member_count, account_id=changed)


def limited(steps: Sequence[Step], touches: Sequence[Touch], spent: Sequence[Spent]) -> list[Step]:
    """The steps, with those refused that go beyond the limits."""
    over = beyond(touches, spent)
    return [
        replace(step, refusals=tuple(sorted({*step.refusals, str(Code.BLAST_RADIUS)}))) if step.index in over else step
        for step in steps
    ]
