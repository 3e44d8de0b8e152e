import pytest

from gitlab_hub.gitlab.errors import Forbidden, GitLabError, ResourceNotFound, Unavailable, UnexpectedResponse
from gitlab_hub.inventory.listing import MAX_COLLECTED
from gitlab_hub.sync.ports import SyncTarget
from tests.fakes.session import SliceOver, run, run_in_slices
from tests.functional.access.company import ADMIN, BESIDE, JANE, MEMBER, TOP_GROUP, Company, group, project

ERRORS = [
    Forbidden("no", http_status=403),
    ResourceNotFound("no", http_status=404),
    Unavailable("no", http_status=502),
]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/groups/1/members", ("group_members", "000000000001")),
        ("/groups/1", ("group_members", "000000000001")),
        ("/projects/8/members", ("project_members", "000000000008")),
    ],
)
async def test_one_closed_scope_keeps_its_rows_and_stops_nothing_else(
    error: GitLabError, path: str, place: tuple[str, str]
) -> None:
    company = Company()
    await company.sync()
    before = company.grants()
    company.script[path] = error
    company.script["/projects/9/members"][0] |= {"access_level": 40}
    session = await company.sync()
    assert session.durable.errors == {place: error}
    assert company.grants() == [*before[:-1], ("project", 9, 6, 40)]


@pytest.mark.parametrize("path", ["/users", "/groups", "/projects"])
@pytest.mark.parametrize("error", ERRORS)
async def test_a_list_that_fails_removes_nothing(path: str, error: GitLabError) -> None:
    company = Company()
    await company.sync()
    before = company.table.dump()
    company.script[path] = error
    session = await company.sync()
    assert list(session.durable.errors) == [({"/users": "accounts"}.get(path, path[1:]), "all")]
    assert company.table.dump() == before


async def test_a_vanished_top_group_is_not_an_empty_one() -> None:
    company = Company()
    await company.sync(TOP_GROUP)
    before = company.table.dump()
    for path in ("/groups/Acme", "/groups/Acme/projects"):
        del company.script[path]
    session = await company.sync(TOP_GROUP)
    assert list(session.durable.errors) == [("groups", "all"), ("projects", "all")]
    assert company.table.dump() == before


@pytest.mark.parametrize("who", [ADMIN, MEMBER, TOP_GROUP])
async def test_a_run_cut_after_every_page_reads_each_page_once(who: SyncTarget) -> None:
    whole, cut = Company(page_size=1), Company(page_size=1)
    await whole.sync(who)
    await run_in_slices(cut.feature, cut.session(who))
    stored, expected = ([row for row in one.table.dump() if row["pk"] not in BESIDE] for one in (cut, whole))
    assert stored == expected
    lists = [name for name in ("/users", "/groups", "/projects") if name in whole.gitlab.paths]
    for path in lists:
        pages = [call["start"] for name, call in cut.gitlab.calls if name == path and "pagination" in call]
        assert pages == sorted(set(pages)), path


async def test_a_gitlab_without_keyset_is_read_by_numbered_pages() -> None:
    company = Company(page_size=1)
    rows = company.script["/projects"]

    def plain(parameters: dict[str, object]) -> object:
        return UnexpectedResponse("no", http_status=405) if "pagination" in parameters else rows

    company.script["/projects"] = plain
    session = company.session(stop_after=4)
    with pytest.raises(SliceOver):
        await run(company.feature, session)
    await run(company.feature, session.next_slice())
    assert session.durable.errors == {}
    assert company.ids("projects") == [8, 9]
    numbered = [
        call["start"] for path, call in company.gitlab.calls if path == "/projects" and "pagination" not in call
    ]
    assert numbered == [0, 1]


async def test_another_refusal_of_a_list_is_no_lack_of_keyset() -> None:
    company = Company()
    company.script["/projects"] = UnexpectedResponse("no", http_status=400)
    session = await company.sync()
    assert list(session.durable.errors) == [("projects", "all")]
    assert company.gitlab.paths.count("/projects") == 1


@pytest.mark.parametrize(
    ("path", "rows", "stage"),
    [
        ("/groups", [{"id": "2", "full_path": "x"}], "groups"),
        ("/projects", [project(8, "")], "projects"),
        ("/projects/8/members", [{"id": JANE, "username": "jane", "access_level": None}], "project_members"),
    ],
)
async def test_a_page_of_broken_rows_only_counts_as_unread(path: str, rows: list[object], stage: str) -> None:
    company = Company()
    await company.sync()
    before = company.table.dump()
    company.script[path] = rows
    session = await company.sync()
    assert [place[0] for place in session.durable.errors] == [stage]
    assert company.table.dump() == before


async def test_one_broken_row_among_others_is_named() -> None:
    company = Company()
    company.script["/groups"] = [group(1, "acme"), {"id": "2", "full_path": "x"}]
    session = await company.sync()
    assert session.durable.errors == {}
    assert [(key, code, "2" in reason) for key, code, reason in session.partials] == [
        ("all", "unexpected_response", True)
    ]


async def test_a_groups_page_that_is_none_fails_the_groups() -> None:
    company = Company()
    company.script["/groups/Acme"] = ["nothing"]
    session = await company.sync(TOP_GROUP)
    assert session.durable.errors.keys() == {("groups", "all")}


async def test_a_member_list_without_end_is_given_up() -> None:
    company = Company()
    company.script["/projects/8/members"] = [{"id": n, "access_level": 10} for n in range(MAX_COLLECTED + 1)]
    company.gitlab.page_size = 50_000
    session = await company.sync(ADMIN)
    assert list(session.durable.errors) == [("project_members", "000000000008")]
