"""Three ways to follow a list of pipelines that look right, and lose rows.

Each reads GitLab's list of a project's pipelines (https://docs.gitlab.com/api/pipelines/#list-project-pipelines) and,
for every row that it takes, all attempts of its jobs. None knows of child pipelines, which are in a list of their own.
"""

from benchmarks.cursors import Lists, PipelineCopy, Row
from gitlab_hub.gitlab.errors import ResourceNotFound


class Naive:
    """What the three have in common: a copy, and how a row gets there."""

    def __init__(self) -> None:
        self.copy: dict[int, PipelineCopy] = {}

    async def take(self, gitlab: Lists, row: Row) -> None:
        """Keep a listed pipeline with its jobs, unless it was deleted meanwhile."""
        try:
            jobs = await gitlab.jobs(row["id"])
        except ResourceNotFound:
            return
        self.copy[row["id"]] = PipelineCopy(row["status"], {job["id"]: job["status"] for job in jobs})


class PageNumbers(Naive):
    """Everything since the last run began, in the order of its updates, page by numbered page."""

    name = "page numbers over updated_at"

    def __init__(self) -> None:
        super().__init__()
        self._since: str | None = None

    async def sync(self, gitlab: Lists) -> None:
        """Read the pages until one is empty. A row that moves on while they are read shifts all behind it."""
        begun, number = gitlab.now(), 1
        params = {"order_by": "updated_at", "sort": "asc", "updated_after": self._since}
        while rows := await gitlab.page(number, **params):
            for row in rows:
                await self.take(gitlab, row)
            number += 1
        self._since = begun


class LastUpdate(Naive):
    """Everything behind the newest `updated_at` that was seen."""

    name = "updated_after of the last row"

    def __init__(self) -> None:
        super().__init__()
        self._seen: str | None = None

    async def sync(self, gitlab: Lists) -> None:
        """Go on behind the last row, one page at a time. What is dated before it and shown after it is lost."""
        while rows := await gitlab.page(order_by="updated_at", sort="asc", updated_after=self._seen):
            for row in rows:
                await self.take(gitlab, row)
            if rows[-1]["updated_at"] == self._seen:
                return
            self._seen = rows[-1]["updated_at"]


class HighestId(Naive):
    """Only pipelines with a higher id than any before."""

    name = "the highest id"

    def __init__(self) -> None:
        super().__init__()
        self._highest = 0

    async def sync(self, gitlab: Lists) -> None:
        """Read the newest pages down to what is known. Nothing is ever looked at again."""
        number, found = 1, list[Row]()
        while rows := await gitlab.page(number, order_by="id", sort="desc"):
            found += [row for row in rows if row["id"] > self._highest]
            if rows[-1]["id"] <= self._highest:
                break
            number += 1
        for row in sorted(found, key=lambda row: int(row["id"])):
            await self.take(gitlab, row)
            self._highest = row["id"]
