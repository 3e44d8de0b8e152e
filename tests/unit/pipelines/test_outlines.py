"""What lists of REST tell of a project that is read for the first time."""

from typing import Any, cast

import pytest

from gitlab_hub.gitlab.client import GitLab
from gitlab_hub.gitlab.errors import GitLabError, InsufficientScope, MissingPermissions, Unavailable, UnexpectedResponse
from gitlab_hub.pipelines.outlines import MOST_PAGES, Outlines
from gitlab_hub.pipelines.store import Copy
from gitlab_hub.pipelines.window import PER_PAGE
from tests.unit.pipelines.job_lists import Lists, Row, job

AT = "2026-11-29T10:00:00.000Z"
CHILDREN: dict[str, str | int | bool] = {"source": "parent_pipeline", "order_by": "updated_at", "sort": "asc"}


def listed(number: int, **fields: Any) -> Row:
    return {"id": number, "status": "success", "source": "push", "updated_at": AT, "ref": "main", **fields}


def child(number: int, **fields: Any) -> Row:
    return listed(number, source="parent_pipeline", **fields)


def jobs_of(*rows: Row, each: int = 2) -> list[Row]:
    """The jobs of some listed pipelines, with what each says of its pipeline."""
    return [job(row["id"] * 10 + number, row["id"], **_rest(row)) for row in rows for number in range(each)]


def _rest(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "id"}


async def outlines(lists: Lists, *rows: Row, known: tuple[int, ...] = (), hears: Any = None) -> Outlines:
    found = Outlines(cast("GitLab", lists), 7, hears or (lambda: None))
    await found.expect(rows, cast("Any", dict.fromkeys(known)))
    return found


async def test_what_lists_tell_is_told_and_nothing_else() -> None:
    rows = [listed(number) for number in (1, 2, 3)]
    lists = Lists(*jobs_of(*rows))
    found = await outlines(lists, *rows)
    copy = found.take(2)
    assert isinstance(copy, Copy)
    told = {name: value for name, value in copy.pipeline.items() if value is not None}
    assert told == {**listed(2), "project_id": 7, "tag": False}
    assert ([one["id"] for one in copy.jobs], copy.bridges, copy.settled, copy.is_outline) == (
        [21, 20],
        None,
        False,
        True,
    )
    assert found.take(2) is None, "who asks again wants all of it"


async def test_a_later_page_of_pipelines_is_told_by_the_same_list() -> None:
    first, second = listed(2), listed(1)
    lists = Lists(*jobs_of(first, second))
    found = await outlines(lists, first)
    await found.expect([second], {})
    assert (found.take(1) is not None, lists.read) == (True, 1)


@pytest.mark.parametrize(
    ("row", "is_told"),
    [
        (listed(2, status="running"), True),
        (listed(2, updated_at="2026-11-29T10:00:01.000Z"), False),
        (listed(2, status="failed"), False),
        (listed(9, status="skipped"), True),
        (listed(9, source="external"), True),
        (listed(9), False),
        (listed(9, status="created"), False),
    ],
)
async def test_what_has_changed_meanwhile_or_shows_no_jobs_is_read_whole(row: Row, *, is_told: bool) -> None:
    meant = row if row["status"] == "running" else listed(2)
    found = await outlines(Lists(*jobs_of(meant)), row)
    assert (found.take(row["id"]) is not None) is is_told


async def test_a_pipeline_that_changes_while_its_jobs_are_read_is_read_whole() -> None:
    rows = jobs_of(listed(2))
    rows[0]["pipeline"]["updated_at"] = "2026-11-29T10:00:01.000Z"
    assert (await outlines(Lists(*rows), listed(2))).take(2) is None


async def test_a_list_with_a_job_of_no_pipeline_is_not_believed() -> None:
    rows = jobs_of(listed(2))
    rows[0]["pipeline"] = None
    assert (await outlines(Lists(*rows), listed(2))).take(2) is None


async def test_what_is_stored_is_read_whole() -> None:
    assert (await outlines(Lists(*jobs_of(listed(2))), listed(2), known=(2,))).take(2) is None


@pytest.mark.parametrize(("count", "each", "read"), [(3, 150, 3), (50, 100, MOST_PAGES)])
async def test_a_long_list_of_jobs_is_given_up(count: int, each: int, read: int) -> None:
    rows = [listed(number) for number in range(1, count + 1)]
    many = [job(row["id"] * 1000 + n, row["id"], **_rest(row)) for row in rows for n in range(each)]
    lists = Lists(*many)
    found = await outlines(lists, *rows)
    assert (found.take(1), found.page(CHILDREN), lists.read) == (None, None, read)


@pytest.mark.parametrize("error", [InsufficientScope("no"), MissingPermissions("no")])
async def test_a_token_that_may_see_no_jobs_is_noticed(error: GitLabError) -> None:
    heard: list[int] = []
    found = await outlines(Lists(error=error), listed(1), hears=lambda: heard.append(1))
    assert (found.take(1), heard) == (None, [1])


@pytest.mark.parametrize("error", [Unavailable("busy"), UnexpectedResponse("cut off")])
async def test_trouble_with_the_list_leaves_it_to_each_pipelines_own(error: GitLabError) -> None:
    heard: list[int] = []
    found = await outlines(Lists(error=error), listed(1), hears=lambda: heard.append(1))
    assert (found.take(1), heard) == (None, [])


async def test_child_pipelines_are_listed_by_their_jobs() -> None:
    late = child(4, updated_at="2026-11-30T00:00:00Z")
    found = await outlines(Lists(*jobs_of(listed(2), child(6), child(5), late)), listed(2))
    page = found.page(CHILDREN)
    assert page is not None
    assert ([row["id"] for row in page.rows], page.next, page.total) == ([5, 6, 4], None, 3)


@pytest.mark.parametrize("other", [{"updated_after": AT}, {"source": None}, {"order_by": "id"}, {"sort": "desc"}])
async def test_another_list_is_asked_for(other: Row) -> None:
    found = await outlines(Lists(*jobs_of(listed(2), child(5))), listed(2))
    assert found.page({**CHILDREN, **other}) is None


@pytest.mark.parametrize(("count", "is_told"), [(PER_PAGE - 1, True), (PER_PAGE, False)])
async def test_as_many_child_pipelines_as_a_page_holds_are_asked_for(count: int, *, is_told: bool) -> None:
    children = [child(number) for number in range(10, 10 + count)]
    found = await outlines(Lists(*jobs_of(*children, each=1)), listed(1), listed(2))
    assert (found.page(CHILDREN) is not None) is is_told


async def test_child_pipelines_without_a_moment_are_asked_for() -> None:
    found = await outlines(Lists(*jobs_of(listed(2), child(5, updated_at=None))), listed(2))
    assert found.page(CHILDREN) is None


async def test_a_gitlab_that_tells_no_source_is_asked_for_its_children() -> None:
    rows = jobs_of(listed(2))
    for row in rows:
        del row["pipeline"]["source"]
    assert (await outlines(Lists(*rows), listed(2))).page(CHILDREN) is None
