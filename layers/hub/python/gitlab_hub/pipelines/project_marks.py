"""Projects that a later step or run is to look at: noted in the table, so that nobody forgets them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gitlab_hub.gitlab.fields import padded
from gitlab_hub.storage.ports import Condition, Table
from gitlab_hub.storage.rows import is_written, query_pages


@dataclass(frozen=True, slots=True)
class Marked:
    """A project that is to be looked at, and since when (milliseconds)."""

    project_id: int
    at: int


class ProjectMarks:
    """The marks in one partition. All calls block."""

    def __init__(self, table: Table, pk: str) -> None:
        self._table, self._pk = table, pk

    def add(self, projects: Iterable[int], *, now: int) -> None:
        """Have projects looked at (`now` in milliseconds)."""
        about = {"pk": self._pk, "schema_version": 1, "at": now}
        self._table.write(puts=[{**about, "sk": padded(one), "id": one} for one in projects])

    def pages(self, after: str | None = None) -> Iterator[list[Marked]]:
        """The projects that are to be looked at by id, behind a key, page by page."""
        for page in query_pages(self._table, self._pk, after=after):
            # Rows of an earlier release have no moment.
            yield [Marked(item["id"], item.get("at", 0)) for item in page]

    def get(self, project_id: int) -> Marked | None:
        """The mark of a project."""
        item = self._table.get(self._pk, padded(project_id))
        return None if item is None else Marked(project_id, item.get("at", 0))

    def has_any(self, project_id: int | None = None) -> bool:
        """Whether a project, or any of them, is to be looked at."""
        if project_id is not None:
            return self.get(project_id) is not None
        return bool(self._table.query(self._pk, limit=1).items)

    def drop(self, marked: Marked) -> None:
        """A project was looked at; one that was marked again meanwhile stays."""
        same = Condition(equals={"at": marked.at}) if marked.at else Condition(lacks=("at",))
        is_written(self._table.delete, self._pk, padded(marked.project_id), same)
