"""Refs that moved, and how GitLab tells of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.code_model import NOTHING, Commit
from stand_in_gitlab.company.model import Project, User
from stand_in_gitlab.payloads.parts import Parts
from stand_in_gitlab.payloads.push import push, repository_update
from stand_in_gitlab.webhooks.events import Event
from stand_in_gitlab.webhooks.sender import Sender


@dataclass(frozen=True, slots=True)
class Move:
    """One ref of one push. `checkout` is the commit of an annotated tag."""

    ref: str
    before: str
    after: str
    commits: tuple[Commit, ...]
    checkout: str | None = None
    message: str | None = None

    @property
    def way(self) -> tuple[str, str]:
        """GitLab counts branches and tags, and what happens to them, apart."""
        kind = "tag" if self.ref.startswith("refs/tags/") else "branch"
        return kind, "created" if self.before == NOTHING else "removed" if self.after == NOTHING else "pushed"


class Mover:
    """Announces pushes: too many refs moved in one way send no push hook at all."""

    def __init__(self, parts: Parts, clock: Clock, sender: Sender) -> None:
        self._parts, self._clock, self._sender = parts, clock, sender

    def announce(
        self,
        project: Project,
        user: User,
        moves: Sequence[Move],
        options: Mapping[str, object] | None = None,
        more: Iterable[Event] = (),
    ) -> int:
        """Tell everyone of one push and of what `more` came of it; returns how many hooks are called."""
        project.last_activity = max(project.last_activity, round(self._clock.now(), 6))
        return self._sender.publish([*self.events(project, user, moves, options), *more])

    def events(
        self, project: Project, user: User, moves: Sequence[Move], options: Mapping[str, object] | None
    ) -> Iterator[Event]:
        """The push as its hooks will hear it."""
        counts = Counter(move.way for move in moves)
        for move in moves:
            if counts[move.way] <= self._parts.company.behaviour.push_hook_limit:
                yield self._push(project, user, move, options)
        changes = [{"before": move.before, "after": move.after, "ref": move.ref} for move in moves]
        payload = repository_update(self._parts, project, user, changes)
        yield Event(trigger="repository_update_hooks", payload=payload, project_id=project.id)

    def _push(self, project: Project, user: User, move: Move, options: Mapping[str, object] | None) -> Event:
        payload = push(
            self._parts,
            project,
            user,
            move.ref,
            move.before,
            move.after,
            move.commits,
            checkout=move.checkout,
            message=move.message,
            options=options,
        )
        trigger = "tag_push_hooks" if move.ref.startswith("refs/tags/") else "push_hooks"
        return Event(trigger=trigger, payload=payload, project_id=project.id)
