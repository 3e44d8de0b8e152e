"""`/v1/incidents`: what needs a person, gathered from those who know of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pydantic import BaseModel

from gitlab_hub.web.api import Route
from gitlab_hub.web.auth import Caller, Principal, Role
from gitlab_hub.web.cursors import Cursors
from gitlab_hub.web.pages import DEFAULT_LIMIT, Limit, PageCursor

_LISTING = "incidents"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that needs a person. `subject` is the id of what it is about; `at` (unix seconds) since when."""

    kind: str
    subject: str
    at: int | None
    hint: str
    details: dict[str, Any] = field(default_factory=dict)


Source = Callable[[str], Iterable[Finding]]
"""Integration → what somebody knows of it that needs a person."""


class IncidentView(BaseModel):
    """One incident."""

    kind: str
    integration_id: str
    subject: str
    at: int | None
    hint: str
    details: dict[str, Any]


class IncidentList(BaseModel):
    """A page of incidents."""

    incidents: list[IncidentView]
    next_cursor: str | None


class IncidentRoutes:
    """Lists incidents in order of their integrations; nothing is stored for the list."""

    def __init__(
        self, sources: Sequence[Source], *, visible: Callable[[Principal], Sequence[str]], cursors: Cursors
    ) -> None:
        self._sources, self._visible, self._cursors = sources, visible, cursors

    def routes(self) -> Sequence[Route]:
        """All routes of this part."""
        path = "/v1/incidents"
        return (Route(method="GET", path=path, handler=self.list_all, role=Role.VIEWER, summary="What needs a person"),)

    def list_all(self, caller: Caller, limit: Limit = DEFAULT_LIMIT, cursor: PageCursor = None) -> IncidentList:
        """List what needs a person, of every integration that the caller may see."""
        position = self._cursors.open(_LISTING, cursor) or ["", 0]
        waiting = self._from(sorted(self._visible(caller)), position[0], position[1])
        found = list(islice(waiting, limit + 1))
        following = [found[limit][0], found[limit][1]] if len(found) > limit else None
        return IncidentList(
            incidents=[view for _, _, view in found[:limit]],
            next_cursor=None if following is None else self._cursors.seal(_LISTING, following),
        )

    def _from(self, ids: Sequence[str], first: str, skip: int) -> Iterator[tuple[str, int, IncidentView]]:
        for integration_id in (one for one in ids if one >= first):
            for number, finding in enumerate(self._of(integration_id)):
                if integration_id != first or number >= skip:
                    yield integration_id, number, _shown(integration_id, finding)

    def _of(self, integration_id: str) -> Iterator[Finding]:
        for source in self._sources:
            yield from source(integration_id)


def _shown(integration_id: str, finding: Finding) -> IncidentView:
    return IncidentView(
        kind=finding.kind,
        integration_id=integration_id,
        subject=finding.subject,
        at=finding.at,
        hint=finding.hint,
        details=finding.details,
    )
