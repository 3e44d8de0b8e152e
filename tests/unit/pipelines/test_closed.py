"""What a refusal of pipelines means: there is no CI/CD in the project, or the token may not see it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gitlab_hub.gitlab.errors import CiDisabled, Forbidden
from gitlab_hub.integrations.connector import FixedToken
from gitlab_hub.pipelines.source import ProjectSource, why_closed
from tests.fakes.gitlab import CANARY, HOST, ScriptedConnector, ScriptedGitLab, answer, project


async def one_by_one(*jobs: Callable[[], Awaitable[Any]]) -> list[Any]:
    return [await job() for job in jobs]


@pytest.mark.parametrize(("asked", "kind"), [
    (answer(200, project(3, builds_access_level="disabled", jobs_enabled=False)), CiDisabled),
    (answer(200, project(3, builds_access_level="enabled", repository_access_level="disabled")), CiDisabled),
    (answer(200, project(3, jobs_enabled=False)), CiDisabled),
    (answer(200, project(3, builds_access_level="private", jobs_enabled=False)), Forbidden),
    (answer(200, project(3, builds_access_level="enabled", jobs_enabled=True)), Forbidden),
    (answer(200, [1]), Forbidden),
    (answer(403, {"message": "403 Forbidden"}), Forbidden),
    (answer(404, {"message": "404 Not Found"}), Forbidden),
])  # fmt: skip
def test_its_row_tells(asked: Any, kind: type[Forbidden]) -> None:
    gitlab = ScriptedGitLab()
    gitlab.script["/projects/3"] = asked
    connector, refusal = ScriptedConnector(gitlab), Forbidden("no", http_status=403)

    async def ask() -> Forbidden:
        async with connector.open(connector.address(HOST), FixedToken(CANARY)) as client:
            return await why_closed(ProjectSource(client, one_by_one, 3), refusal)

    found = asyncio.run(ask())
    assert (type(found), found.http_status) == (kind, 403)
    assert kind is CiDisabled or found is refusal
