"""Lists of builds, newest first, of one integration or of several."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from gitlab_hub.builds.build import Build
from gitlab_hub.builds.build_store import BuildStore

LEAST_SCANNED, SCANNED_FOR_EACH = 100, 4


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
    store: BuildStore, integrations: Iterable[str], wanted: BuildFilter, *, limit: int, after: str | None
) -> Page:
    """Merge the builds of some integrations into one page.

    The index says in which order they come; rows are read for what may be shown only: without a filter the `limit`
    builds themselves, with one at most `most_scanned`.
    """
    streams = [_places(store, integration_id, after, batch=limit + 1) for integration_id in integrations]
    merged = heapq.merge(*streams, reverse=True)
    found: list[Build] = []
    scanned = 0
    while scanned < most_scanned(limit, wanted):
        places = list(islice(merged, limit - len(found)))
        if not places:
            return Page(found, None)
        for build in store.at(places):
            found += [build] if wanted.takes(build) else []
        after, scanned = places[-1], scanned + len(places)
        if len(found) == limit:
            break
    return Page(found, after if next(merged, None) is not None else None)


def most_scanned(limit: int, wanted: BuildFilter) -> int:
    """How many builds one request reads: a rare match behind them is found by the pages that follow."""
    return limit if wanted == BuildFilter() else max(LEAST_SCANNED, SCANNED_FOR_EACH * limit)


def _places(store: BuildStore, integration_id: str, after: str | None, *, batch: int) -> Iterator[str]:
    while True:
        places, after = store.places(integration_id, after=after, limit=batch)
        yield from places
        if after is None:
            return
