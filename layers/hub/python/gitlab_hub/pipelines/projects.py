"""The projects that the pipelines sync knows."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from gitlab_hub.gitlab.fields import MAX_ID, padded
from gitlab_hub.pipelines.keys import projects_pk
from gitlab_hub.pipelines.model import clean_text, identity
from gitlab_hub.storage.ports import Item, Put, Table
from gitlab_hub.storage.rows import query_pages
from gitlab_hub.sync.ports import Row
from gitlab_hub.sync.table_rows import HASH, TableRows, unchanged

DATASET = "projects"

_TEXTS = ("path_with_namespace", "name", "default_branch", "web_url")


class ProjectRows(TableRows):
    """The projects of an integration; one that GitLab no longer lists is marked, and its pipelines stay."""

    def __init__(self, table: Table, integration_id: str) -> None:
        self._pk = projects_pk(integration_id)
        super().__init__(
            table,
            key=lambda _scope, key: (self._pk, key),
            scope_range=lambda _scope: (self._pk, ""),
            row_key=lambda sk: sk,
        )

    def remove(self, scope: str, stored: Mapping[str, str], *, at: datetime) -> None:  # noqa: ARG002 - there is one scope
        """Mark projects as gone. Without their hash they are no rows of the mirror, so a listed one is put back."""
        items = self._table.get_many([(self._pk, key) for key in stored])
        kept = [{name: value for name, value in item.items() if name != HASH} for item in items]
        marked = ({**item, "gone_at": int(at.timestamp())} for item in kept)
        self.change(Put(item, unchanged(stored[item["sk"]])) for item in marked)

    def listed(self, after: str | None) -> Iterator[list[Item]]:
        """Page by page, the projects behind a key that were not marked as gone."""
        for page in self.known(after):
            yield [item for item in page if "gone_at" not in item]

    def are(self, many: int) -> bool:
        """Whether there are so many of them, those that are gone, too."""
        return len(self._table.query(self._pk, limit=many, attributes=("sk",)).items) >= many

    def known(self, after: str | None) -> Iterator[list[Item]]:
        """Page by page, all projects behind a key, those that are gone, too: their pipelines stay."""
        return query_pages(self._table, self._pk, after=after)


def project_row(listed: Mapping[str, Any]) -> Row:
    """What is kept of a listed project."""
    number = identity(listed)
    texts = {name: clean_text(listed.get(name)) for name in _TEXTS}
    return Row(padded(number), {"id": number, **texts})


def project_number(key: str) -> int:
    """The project's id of a scope's key."""
    return min(int(key), MAX_ID)
