"""Lists of builds, newest first, of one integration or of several."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gitlab_hub.builds.build import Build
from gitlab_hub.builds.build_store import BuildStore, place_of

MAX_SCANNED = 1_000
"""Builds that one request looks at; a rare match behind them is found by the pages that follow."""
_BATCH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFilter:
    """Which builds are wanted; None = any."""

    project_id: int | None = None
    status: str | None = None
    trigger_id: str | None = None
    ref: str | None = None

    def takes(self, build: Build) -> bool:
        """Say whether a build is wanted."""
        named = (
            (self.project_id, build.project_id),
            (self.status, str(build.status)),
            (self.trigger_id, build.trigger_id),
            (self.ref, build.ref),
        )
        return all(wanted is None or wanted == has for wanted, has in named)


@dataclass(frozen=True, slots=True)
class Page:
    """Some builds, and the place to go on behind; None at the end. A page may be short and still have a next one."""

    builds: list[Build]
    last: str | None


def page_of(
    store: BuildStore, integrations: Iterable[str], wanted: Callable[[Build], bool], *, limit: int, after: str | None
) -> Page:
    """Merge the builds of some integrations into one page."""
    streams = [_newest(store, integration_id, after) for integration_id in integrations]
    merged = heapq.merge(*streams, key=place_of, reverse=True)
    found: list[Build] = []
    for scanned, build in enumerate(merged):
        if len(found) == limit or scanned == MAX_SCANNED:
            return Page(found, after)
        after = place_of(build)
        if wanted(build):
            found.append(build)
    return Page(found, None)


def _newest(store: BuildStore, integration_id: str, after: str | None) -> Iterator[Build]:
    while True:
        builds, after = store.newest(integration_id, after=after, limit=_BATCH)
        yield from builds
        if after is None:
            return
