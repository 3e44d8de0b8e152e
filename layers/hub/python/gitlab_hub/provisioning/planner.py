"""Looking at operations: what each of them would change, as GitLab is now, and what stands against it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from gitlab_hub.gitlab.clients import GitLabConnection, GitLabs
from gitlab_hub.gitlab.errors import HostUnreachable
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.expansion import expanded, is_open
from gitlab_hub.provisioning.facts import Hand
from gitlab_hub.provisioning.limits import Spent, Touch, beyond
from gitlab_hub.provisioning.mirror import Mirror
from gitlab_hub.provisioning.model import Step
from gitlab_hub.provisioning.operation import CLOSING, Kind, Operation, Where, in_order
from gitlab_hub.provisioning.operations.base import Around, Decision, Finding
from gitlab_hub.provisioning.operations.table import OPERATIONS
from gitlab_hub.provisioning.ports import Addresses, HubUsers
from gitlab_hub.provisioning.reading import LiveReader
from gitlab_hub.provisioning.refusals import Code
from gitlab_hub.provisioning.states import Membership, State

GITLAB_COM = "gitlab.com"

DEADLINE_SECONDS = 20.0
"""For all that one plan has read: a request through the gateway lives for 30 seconds."""


class Planner:
    """Looks at operations. All calls block."""

    def __init__(
        self,
        gitlabs: GitLabs,
        mirror: Mirror,
        addresses: Addresses,
        users: HubUsers,
        now: Callable[[], float],
    ) -> None:
        self._gitlabs, self._mirror, self._addresses, self._now = gitlabs, mirror, addresses, now
        self._users = users

    def look(
        self, connection: GitLabConnection, operations: Mapping[int, Operation], *, to_end: bool = False
    ) -> tuple[list[Step], list[Touch]]:
        """Decide about all operations of a plan, by their numbers. Raises GitLabError.

        `to_end`: they take back what the hub gave for a while; a mirror that is stale is no reason to leave that.
        """
        places = {one.where for one in operations.values()}
        fit = places if to_end else self._mirror.fit_for(connection.integration_id, operations.values())
        addresses = {one.email for one in operations.values() if one.kind is Kind.INVITE and one.email}
        known = self._addresses.holders(connection.integration_id, addresses) if addresses else {}
        hand = self._hand(connection, operations.values())
        found = asyncio.run(self._read(connection, hand, operations, fit, known))
        steps = [step_of(number, operations[number], finding) for number, finding in found]
        touches = [touch_of(number, operations[number], one) for number, one in found if one.decision.calls]
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

    def members(self, connection: GitLabConnection, operation: Operation) -> Mapping[int, Membership] | None:
        """The direct members of a place where an operation may change some that nobody has planned to.

        None where it does not, or where they are too many to be compared. Raises GitLabError.
        """
        if not OPERATIONS[operation.kind].makes_members:
            return None

        async def ask() -> Mapping[int, Membership] | None:
            async with self._reading(connection) as reader:
                return await reader.members(*operation.resource)

        return asyncio.run(ask())

    def expanded(self, connection: GitLabConnection, operations: Sequence[Operation]) -> list[Operation]:
        """The operations, each as what it comes to in GitLab as it is now. Raises GitLabError."""

        async def ask() -> list[Operation]:
            async with self._reading(connection) as reader:
                return await expanded(reader, operations)

        return asyncio.run(ask()) if any(map(is_open, operations)) else list(operations)

    def again(self, connection: GitLabConnection, operation: Operation) -> Decision:
        """Decide about one operation that was planned, right before it is done. Raises OutOfSight or GitLabError."""
        hand = self._hand(connection, [operation])

        async def ask() -> Finding:
            kind = OPERATIONS[operation.kind]
            async with self._reading(connection, hand) as reader:
                finding = await kind.look(reader, operation, Around(hand=reader.hand))
                if finding.decision.before is None:
                    await kind.state(reader, operation)
                return finding

        return asyncio.run(ask()).decision

    def state(self, connection: GitLabConnection, operation: Operation) -> State | None:
        """What an operation changes, as it is now. Raises OutOfSight or GitLabError."""

        async def ask() -> State | None:
            async with self._reading(connection) as reader:
                return await OPERATIONS[operation.kind].state(reader, operation)

        return asyncio.run(ask())

    async def _read(
        self,
        connection: GitLabConnection,
        hand: Hand,
        operations: Mapping[int, Operation],
        fit: Iterable[Where],
        known: Mapping[str, str],
    ) -> list[tuple[int, Finding]]:
        order, covered = in_order(operations), set(fit)
        async with self._reading(connection, hand) as reader:

            async def look(place: int, number: int) -> tuple[int, Finding]:
                one = operations[number]
                around = Around(
                    hand=reader.hand,
                    is_fresh=one.where in covered,
                    counts=True,
                    ahead=tuple(operations[earlier] for earlier in order[:place]),
                    holder=known.get(one.email or ""),
                )
                return number, await OPERATIONS[one.kind].look(reader, one, around)

            return await asyncio.gather(*(look(*placed) for placed in enumerate(order)))

    @asynccontextmanager
    async def _reading(self, connection: GitLabConnection, hand: Hand | None = None) -> AsyncIterator[LiveReader]:
        try:
            async with asyncio.timeout(DEADLINE_SECONDS), self._gitlabs.open(connection) as gitlab:
                yield LiveReader(gitlab, hand or self._hand(connection))
        except TimeoutError:
            raise HostUnreachable("GitLab took too long to say what the plan touches; send fewer operations.") from None

    def _hand(self, connection: GitLabConnection, operations: Iterable[Operation] = ()) -> Hand:
        ends_tokens = any(one.kind in {Kind.REVOKE_CREDENTIAL, Kind.OFFBOARD} | CLOSING for one in operations)
        return Hand(
            account_id=connection.user_id,
            is_admin=connection.is_admin,
            scopes=connection.scopes,
            group=connection.group,
            on_gitlab_com=urlsplit(connection.base_url).hostname == GITLAB_COM,
            today=datetime.fromtimestamp(self._now(), UTC).date().isoformat(),
            now=int(self._now()),
            other_users=self._users.besides(connection) if ends_tokens else frozenset(),
        )


def step_of(number: int, operation: Operation, finding: Finding) -> Step:
    """An operation with what was decided about it."""
    decision = finding.decision
    return Step(
        index=number,
        operation=operation,
        subject=finding.subject,
        full_path=finding.full_path,
        sentence=finding.sentence,
        before=decision.before,
        after=decision.after,
        calls=decision.calls,
        refusals=tuple(map(str, decision.refusals)),
    )


def touch_of(number: int, operation: Operation, finding: Finding) -> Touch:
    """What an operation takes of the limits."""
    place = f"{operation.resource_type}#{operation.resource_id}" if operation.resource_type else ""
    return Touch(index=number, place=place, member_count=finding.members, accounts=finding.touched)


def limited(steps: Sequence[Step], touches: Sequence[Touch], spent: Sequence[Spent]) -> list[Step]:
    """The steps, with those refused that go beyond the limits."""
    over = beyond(touches, spent)
    return [
        replace(step, refusals=tuple(sorted({*step.refusals, str(Code.BLAST_RADIUS)}))) if step.index in over else step
        for step in steps
    ]
