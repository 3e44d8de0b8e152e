"""DORA's figures of any range, out of what the days of projects came to."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from gitlab_hub.pipelines.deployments.changes import Change
from gitlab_hub.pipelines.deployments.completeness import completeness_of
from gitlab_hub.pipelines.deployments.store import CountedDay, DeploymentStore
from gitlab_hub.pipelines.figures.answers import Answer, share
from gitlab_hub.pipelines.figures.asked import Asked
from gitlab_hub.pipelines.figures.completeness import FiguresCompleteness
from gitlab_hub.pipelines.figures.definitions import DefinitionName
from gitlab_hub.pipelines.figures.reader import FEW_KEYS, MOST_ROWS, MOST_SHOWN, period
from gitlab_hub.pipelines.figures.sketch import exact_quantile
from gitlab_hub.pipelines.selection import ProjectSelection
from gitlab_hub.storage.ports import Table
from gitlab_hub.web.errors import unfit


@dataclass(slots=True)
class Sums:
    """What deployments came to, of as many days as are added."""

    changes: list[Change] = field(default_factory=list)
    successes: int = 0

    def add(self, day: CountedDay) -> None:
        """Add a day of a project."""
        self.changes.extend(day.changes)
        self.successes += day.successes


def dora(sums: Sums, days: int, definition: DefinitionName) -> Answer:
    """The figures of so many days; those that a definition has no data for are None."""
    lead_times = sorted(seconds for one in sums.changes for seconds in one.lead_times or ())
    restored = sorted(one.restored_after for one in sums.changes if one.restored_after is not None)
    failed, count = sum(one.failed for one in sums.changes), len(sums.changes)
    is_hub = definition == "hub"
    deployments = count if is_hub else sums.successes
    return {
        "deployments": deployments,
        "deployment_frequency_per_day": round(deployments / days, 6),
        "lead_time_median": exact_quantile(lead_times, 0.5),
        "change_failure_rate": share(failed, count) if is_hub else None,
        "time_to_restore_median": exact_quantile(restored, 0.5) if is_hub else None,
    }


class DoraReader:
    """DORA's figures of all integrations, as the API shows them."""

    def __init__(self, table: Table, selection: ProjectSelection) -> None:
        self._table, self._selection = table, selection

    def dora(self, asked: Asked, definition: DefinitionName) -> Answer:
        """The figures of a range; rows by project, day, week or month. Raises Unprocessable, NotFound."""
        by_period = asked.group_by not in {None, "project"}
        periods = Counter(period(day, asked.group_by or "") for day in asked.days) if by_period else Counter[str]()
        whole, by_key = Sums(), {key: Sums() for key in periods}
        for project_id, day, counted in self._days(asked):
            whole.add(counted)
            if asked.group_by is not None:
                key = str(project_id) if asked.group_by == "project" else period(day, asked.group_by)
                by_key.setdefault(key, Sums()).add(counted)
        rows = {key: dora(sums, periods[key] or asked.count, definition) for key, sums in by_key.items()}
        unknown = sum(one.lead_times is None and not one.is_first for one in whole.changes)
        return {
            **dora(whole, asked.count, definition),
            "rows": self._shown(asked, rows),
            "without_lead_time": unknown,
        }

    def completeness(self, asked: Asked) -> tuple[FiguresCompleteness, bool]:
        """How whole the figures are, and whether anything was ever read. Raises NotFound."""
        return completeness_of(self._table, self._selection, asked)

    def _days(self, asked: Asked) -> Iterator[tuple[int, str, CountedDay]]:
        """The days of projects that were asked for, at most MOST_ROWS."""
        store, wanted = DeploymentStore(self._table, asked.integration_id), self._wanted(asked)
        if wanted is not None and len(wanted) * asked.count <= FEW_KEYS:
            for project_id in sorted(wanted):
                yield from store.days_of(project_id, asked.days)
            return
        for read, one in enumerate(store.days(asked.first, asked.last), 1):
            if read > MOST_ROWS:
                raise unfit("query.from", "This reads too much at once: ask for fewer days, or for a project.")
            if wanted is None or one[0] in wanted:
                yield one

    def _wanted(self, asked: Asked) -> set[int] | None:
        below = self._selection.within(asked.integration_id, asked.group_id)
        if asked.project_id is None:
            return below
        return {asked.project_id} if below is None else below & {asked.project_id}

    def _shown(self, asked: Asked, rows: dict[str, Answer]) -> list[Answer]:
        if asked.group_by != "project":
            return [{"key": key, **row} for key, row in rows.items()]
        most = sorted(rows.items(), key=lambda one: (-one[1]["deployments"], one[0]))[:MOST_SHOWN]
        paths = self._selection.some(asked.integration_id, [int(key) for key, _ in most])
        return [
            {"key": key, "project_id": int(key), "full_path": paths.get(int(key)) or None, **row} for key, row in most
        ]
