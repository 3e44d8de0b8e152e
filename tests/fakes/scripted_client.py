"""A client whose answers are written down by path: for stages, which never see the wire."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self

from gitlab_hub.gitlab.client import Page, Reply
from gitlab_hub.gitlab.errors import GitLabError, ResourceNotFound
from gitlab_hub.gitlab.graphql import GraphQLQuery, GraphQLReply, read_reply

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class ScriptedClient:
    """Answers by path: rows of a list, one thing, an error to raise, or a function of the parameters giving these.

    A path nobody wrote down is 404, as for a token that may not see it.
    """

    def __init__(self, answers: Mapping[str, Any], *, page_size: int = 100) -> None:
        self.answers = dict(answers)
        self.page_size = page_size
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.requests = self.rate_limited = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    @property
    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [path for path, _ in self.calls]

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Reply:
        """Answer with one thing."""
        return Reply(self._answer(path, params), 200, NOW, "req-1", {})

    async def query(self, query: GraphQLQuery, values: Mapping[str, Any] | None = None) -> GraphQLReply:
        """Answer a query as `/api/graphql` says, a function of its name and variables."""
        reply = read_reply(self._answer("/api/graphql", {"name": query.name, **(values or {})}))
        assert reply is not None
        return replace(reply, server_time=NOW)

    async def pages(
        self, path: str, params: Mapping[str, Any] | None = None, *, cursor: str | None = None, per_page: int = 100
    ) -> AsyncIterator[Page]:
        """Answer with a list in pages of `page_size`, or smaller where less is asked for."""
        start, size = int(cursor or 0), min(self.page_size, per_page)
        while True:
            rows = self._answer(path, {**(params or {}), "start": start})
            following = str(start + size) if start + size < len(rows) else None
            yield Page(rows[start : start + size], following, NOW, len(rows))
            if following is None:
                return
            start += size

    def _answer(self, path: str, params: Mapping[str, Any] | None) -> Any:
        self.requests += 1
        self.calls.append((path, dict(params or {})))
        answer = self.answers.get(path, ResourceNotFound("GitLab does not have this.", http_status=404))
        if callable(answer):
            answer = answer(dict(params or {}))
        if isinstance(answer, GitLabError):
            raise answer
        return answer
