"""A tiny source and a feature that mirrors it: what the engine's tests sync instead of a GitLab."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Self

from gitlab_hub.gitlab.errors import GitLabError, ResourceNotFound
from gitlab_hub.storage.ports import Table
from gitlab_hub.sync.ports import Kind, Row, Scope, Session, Stage
from gitlab_hub.sync.table_rows import TableRows

PAGE = 3


class Estate:
    """Teams and their members, listed in pages; `faults` are raised by the n-th call to the source."""

    def __init__(self, teams: dict[str, list[str]]) -> None:
        self.teams = teams
        self.calls = 0
        self.faults: dict[int, GitLabError] = {}
        self.closed: dict[str, GitLabError] = {}

    def list_teams(self, after: str) -> list[str]:
        """A page of team names after one of them."""
        self._call()
        return [name for name in sorted(self.teams) if name > after][:PAGE]

    def list_members(self, team: str) -> list[str]:
        """All members of one team."""
        self._call()
        if team in self.closed:
            raise self.closed[team]
        if team not in self.teams:
            raise ResourceNotFound("no such team", http_status=404)
        return list(self.teams[team])

    def _call(self) -> None:
        self.calls += 1
        if self.calls in self.faults:
            raise self.faults[self.calls]


class FakeGitLab:
    """The little of a client that the engine itself uses."""

    def __init__(self, on_user: Callable[[], None] = lambda: None) -> None:
        self.requests = self.rate_limited = 0
        self._on_user = on_user

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def get(self, path: str) -> None:
        """Answer the engine's question whether the token is still good."""
        assert path == "/user"
        self._on_user()


def team_rows(table: Table) -> TableRows:
    """The stored teams."""
    return TableRows(
        table, key=lambda _, key: ("teams", key), scope_range=lambda _: ("teams", ""), row_key=lambda sk: sk
    )


def member_rows(table: Table) -> TableRows:
    """The stored members by team."""
    return TableRows(
        table,
        key=lambda scope, key: ("members", f"{scope}#{key}"),
        scope_range=lambda scope: ("members", f"{scope}#"),
        row_key=lambda sk: sk.partition("#")[2],
    )


class EstateFeature:
    """Mirrors an estate: one long list with checkpoints, then one scope per team, then the sweep."""

    kind = Kind.ACCESS

    def __init__(self, estate: Estate, table: Table) -> None:
        self.estate, self.table = estate, table

    def stages(self, session: Session) -> Sequence[Stage]:
        """The three steps."""
        return [Teams(self, session), Members(self, session), Sweep(self, session)]


class _Stage:
    def __init__(self, feature: EstateFeature, session: Session) -> None:
        self.estate, self.session = feature.estate, session
        self.teams = session.mirror("teams", team_rows(feature.table))
        self.members = session.mirror("members", member_rows(feature.table))

    async def size(self) -> int | None:
        return None

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        if after is None:
            yield Scope("all")


class Teams(_Stage):
    """The list of teams."""

    name = "teams"

    async def read(self, scope: Scope) -> None:
        """Page through the list from where an earlier worker stopped."""
        after: Any = self.session.cursor(scope) or ""
        while page := self.estate.list_teams(after):
            await self.teams.upsert("all", [Row(name, {"name": name}) for name in page])
            after = page[-1]
            await self.session.checkpoint(scope, after)
        await self.teams.complete("all")


class Members(_Stage):
    """The members of every stored team."""

    name = "members"

    async def size(self) -> int | None:
        return len(self.estate.teams)

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        for name in sorted(self.estate.teams):
            if name > (after or ""):
                yield Scope(name)

    async def read(self, scope: Scope) -> None:
        """Read one team at once."""
        people = self.estate.list_members(scope.key)
        await self.members.replace_all(scope.key, [Row(person, {"person": person}) for person in people])


class Sweep(_Stage):
    """Removes what is gone."""

    name = "sweep"

    async def read(self, scope: Scope) -> None:
        """Sweep both mirrors."""
        await self.members.delete_missing()
        await self.teams.delete_missing()
