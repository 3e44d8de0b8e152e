"""Lists that shift while they are read, on a server with numbered pages only: rows that stay are never removed."""

import random
from typing import Any

import httpx
import pytest

from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running
from tests.fakes.sync_worker import SyncHub
from tests.integration.sync.conftest import KINDS
from tests.integration.sync.stored_rows import View, stored, truth

SEEDS = range(1, 4)


def on_small_numbered_pages(request: httpx.Request) -> httpx.Request:
    """The request as an old server with a page limit of its own understands it."""
    if "per_page" not in request.url.params:
        return request
    params = request.url.params.remove("pagination").set("per_page", "2")
    headers, extensions = request.headers, request.extensions
    return httpx.Request(request.method, request.url.copy_with(params=params), headers=headers, extensions=extensions)


class Churn:
    """Lets people and projects come and go while somebody reads; half of them all stay where they are."""

    def __init__(self, server: Running, seed: int) -> None:
        self._server, self._chance = server, random.Random(seed)  # noqa: S311 - a repeatable history
        for number in range(10):
            server.change("add_project", path=f"churn-{seed}-{number}")
            server.change("add_user", username=f"churn.{seed}.{number}")
        self._users = [row["id"] for row in server.truth("users") if not row["is_admin"]][::2]
        self._projects = [row["id"] for row in server.truth("projects")][::2]
        self.touched = {("user", number) for number in self._users} | {("project", number) for number in self._projects}

    def __call__(self, request: httpx.Request) -> httpx.Request:
        """Change something before a request now and then."""
        if self._chance.random() < 0.3:
            self._arrive() if self._chance.random() < 0.2 else self._go(request.url.path)
        return on_small_numbered_pages(request)

    def _go(self, path: str) -> None:
        """Take the first of the list that is being read, so that all that follow move up."""
        if path.endswith("/projects") and self._projects:
            self._server.change("remove_project", id=self._projects.pop(0))
        elif path.endswith(("/users", "/members")) and self._users:
            self._server.change("remove_user", id=self._users.pop(0))

    def _arrive(self) -> None:
        name = f"late.{self._chance.random()}"
        user = self._server.change("add_user", username=name)["id"]
        project = self._server.change("add_project", path=name)["id"]
        self._server.change("add_member", source="project", source_id=project, user_id=user, level=30)
        self.touched |= {("user", user), ("project", project)}


def stable(view: View, churn: Churn) -> dict[str, set[object]]:
    """The keys of the rows that must be there whatever comes and goes."""
    return {name: {key for key in rows if churn.touched.isdisjoint(parts(name, key))} for name, rows in view.items()}


def parts(dataset: str, key: Any) -> set[tuple[str, int]]:
    """Who and what a row is about."""
    match dataset:
        case "accounts":
            return {("user", key)}
        case "groups":
            return {("group", key)}
        case "projects":
            return {("project", key)}
        case "grants":
            return {key[:2], ("user", key[2])}
        case "shares" | "traits":
            return {key[:2]}
    return {("project", key[0])}


@KINDS
@pytest.mark.parametrize("seed", SEEDS)
def test_no_row_that_stays_is_removed(fresh: Running, kind: Kind, seed: int) -> None:
    hub = SyncHub(fresh)
    churn = Churn(fresh, seed)
    hub.sync(kind)
    for _ in range(3):
        kept = stable(stored(hub, kind), churn)
        hub.watch = churn
        hub.sync(kind)
        hub.watch = on_small_numbered_pages
        after = stored(hub, kind)
        assert all(rows <= after[name].keys() for name, rows in kept.items())

    quiet = hub.sync(kind)
    if quiet.status is RunStatus.SUSPECT:
        hub.service.accept("i1", kind, actor="t-owner")
        hub.work(kind)
    assert stored(hub, kind) == truth(hub, kind)
