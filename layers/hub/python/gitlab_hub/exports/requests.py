"""What callers ask exports for."""

from datetime import UTC, date, datetime
from typing import Annotated, Self

from pydantic import Field, StrictInt, model_validator

from gitlab_hub.exports.model import DAY, OF_PROJECTS, TIMED, Asked, Dataset, Format
from gitlab_hub.gitlab.fields import MAX_ID, seconds
from gitlab_hub.web.errors import unfit
from gitlab_hub.web.rules import rule
from gitlab_hub.web.validation import RequestBody

_LATEST = 9_999_999_999
_WHEN = "unix seconds, or a day or a time like 2026-11-30 or 2026-11-30T12:00:00Z"

Moment = Annotated[StrictInt, Field(ge=0, le=_LATEST)] | Annotated[str, Field(min_length=1, max_length=40)]


class ExportBody(RequestBody):
    """An export to make."""

    dataset: Annotated[Dataset, Field(description="What to export.", examples=["pipelines"])]
    format: Annotated[Format, Field(description="How to write it; JSON lines are compressed.", examples=["parquet"])]
    since: Annotated[
        Moment | None,
        Field(
            alias="from",
            description=f"Only pipelines created, or changes noticed, then or later: {_WHEN}. Jobs go with their "
            "pipelines.",
            examples=["2026-11-01"],
        ),
    ] = None
    until: Annotated[
        Moment | None,
        Field(
            alias="to",
            description="Where that time ends, in the same forms: a day is the last one, a moment the first one that "
            "is left out.",
            examples=["2026-11-30"],
        ),
    ] = None
    project_id: Annotated[
        StrictInt | None, Field(ge=1, le=MAX_ID, description="Only this project. Accounts belong to none.")
    ] = None

    @model_validator(mode="after")
    def _fits_its_dataset(self) -> Self:
        if self.dataset not in TIMED and (self.since is not None or self.until is not None):
            raise rule(f"has no time: leave out from and to, which are for {', '.join(sorted(TIMED))}")
        if self.dataset not in OF_PROJECTS and self.project_id is not None:
            raise rule("belongs to no project: leave out project_id")
        return self

    def asked(self, integration_id: str) -> Asked:
        """What is asked for. Raises Unprocessable."""
        since, until = _moment("body.from", self.since, 0), _moment("body.to", self.until, DAY)
        if since is not None and until is not None and since >= until:
            raise unfit("body.from", "body.from lies behind body.to; give an earlier one.")
        return Asked(
            integration_id=integration_id,
            dataset=self.dataset,
            format=self.format,
            since=since,
            until=until,
            project_id=self.project_id,
        )


def _moment(field: str, given: int | str | None, whole_day: int) -> int | None:
    """Unix seconds; of a day its first second, and `whole_day` more."""
    if given is None or isinstance(given, int):
        return given
    try:
        found = seconds(given) if "T" in given else _midnight(given) + whole_day
    except ValueError:
        found = None
    if found is None or not 0 <= found <= _LATEST:
        raise unfit(field, f"{field} is {_WHEN}.")
    return found


def _midnight(day: str) -> int:
    return int(datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).timestamp())
