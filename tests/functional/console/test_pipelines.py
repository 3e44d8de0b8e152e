"""Figures, lists, and one pipeline: whatever a page says of them, it says over which range, of what, and how whole."""

import pytest

from gitlab_hub.console.pages.figures import change
from gitlab_hub.pipelines.deployments.changes import Change
from gitlab_hub.pipelines.deployments.state import DeploymentState, DeploymentStates
from gitlab_hub.pipelines.deployments.store import CountedDay, DeploymentStore, day_of_change
from gitlab_hub.pipelines.read_states import ReadState, ReadStates
from tests.functional.console.company_pipelines import BROKEN, CHILD, WHOLE
from tests.functional.console.console_hub import ACME, SHOP, START, ConsoleHub
from tests.functional.console.visitor import Visitor, links

UNKNOWN = 3
"""A project of which nothing was read."""

UNREAD = "Not everything: of 2 projects, 1 not read."


@pytest.fixture(scope="module")
def hub() -> ConsoleHub:
    return ConsoleHub()


@pytest.fixture(scope="module")
def visitor(hub: ConsoleHub) -> Visitor:
    return hub.signed_in()


PIECES = ("", "/failures", "/projects")


def test_each_figure_stands_with_its_rule_its_range_and_how_whole_it_is(hub: ConsoleHub, visitor: Visitor) -> None:
    text = " ".join(visitor.get(f"{hub.base}/pipelines{piece}?days=7").text for piece in PIECES)
    for told in ("100.0 % of 3 pipelines", "1 job wasted 1.0 minutes", "5 minutes of jobs", "script1", "RunnerPrices"):
        assert told in text, told
    figures = 3 + len(("mttr", "cost", "failures", "flaky", "dora"))
    assert text.count("What this counts") == text.count("2026-09-15 to 2026-09-21, days in UTC.") == figures
    # The trend says so twice; of deployments there is more that is not known.
    assert text.count(UNREAD) == figures
    assert text.count(f"{UNREAD[:-1]}; 2 deployments whose merge requests are not known") == 1
    assert "success / (success + failed)" in text


def test_what_takes_longer_comes_later_or_on_a_page_of_its_own(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = visitor.get(f"{hub.base}/pipelines?days=7&project_id={SHOP}&ref_class=tag")
    late = [str(one["hx-get"]) for one in shown.elements("section") if one.get("hx-trigger") == "load"]
    query = f"project_id={SHOP}&days=7&ref_class=tag"
    assert late == [f"{hub.base}/pipelines{piece}?{query}" for piece in PIECES[1:]]
    assert set(late) <= set(links(shown))
    for address in late:
        piece = visitor.get(address, hx_request="true")
        assert (piece.status, piece.elements("h1"), len(piece.elements("h2")) > 0) == (200, [], True)
        assert len(visitor.get(address).elements("h1")) == 1


@pytest.mark.parametrize("what", ["pipelines/list", "jobs"])
def test_a_list_of_the_last_days_goes_on_after_midnight(
    hub: ConsoleHub, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr("gitlab_hub.console.pages.pipelines._PAGE", 1)
    page, seen, before = f"{hub.base}/{what}?days=7", 0, hub.clock
    try:
        hub.clock += -hub.clock % 86_400 - 60
        visitor = hub.signed_in()
        shown = visitor.get(page)
        hub.clock += 120
        while following := [str(one["href"]) for one in shown.elements("a") if one.get("rel") == "next"]:
            shown, seen = visitor.get(following[0]), seen + 1
            assert (shown.status, "invalid_cursor" in shown.text, seen < 20) == (200, False, True)
            assert page in links(shown), "the first page is of the last days again"
    finally:
        hub.clock = before
    assert seen > 1


def test_where_figures_are_away_each_piece_says_so(hub: ConsoleHub, visitor: Visitor) -> None:
    hub.away = {"pipelines"}
    try:
        told = [visitor.get(f"{hub.base}/pipelines{piece}").text.count("cannot be shown") for piece in PIECES]
    finally:
        hub.away = set()
    assert told == [1, 4, 2]


@pytest.mark.parametrize("query", ["", "&ref_class=tag"])
def test_dora_says_why_it_is_not_there(hub: ConsoleHub, visitor: Visitor, query: str) -> None:
    text = visitor.get(f"{hub.base}/pipelines/failures?project_id={UNKNOWN}{query}").text
    assert "Not there: The hub has read deployments of none of these projects" in text
    assert "deployments_not_synced" in text


def test_deployments_are_told_with_what_is_not_known_of_them() -> None:
    hub = ConsoleHub()
    store = DeploymentStore(hub.tables["pipelines"], hub.own)
    first = Change(id=1, environment_id=4, at=START - 9 * 86_400, lead_times=[7_200], failed=True, restored_after=3_600)
    second = Change(id=2, environment_id=4, at=START - 9 * 86_400 + 9, lead_times=None)
    store.put_days(UNKNOWN, {day_of_change(first): CountedDay([first, second], 2)}, [])
    DeploymentStates(hub.tables["pipelines"], hub.own).save(UNKNOWN, DeploymentState(read_at=START))
    visitor = hub.signed_in()
    text = visitor.get(f"{hub.base}/pipelines/failures?project_id={UNKNOWN}&ref_class=tag").text
    for told in (
        "Deployments2",
        "50.0 %",
        "1 deployment whose merge requests are not known",
        "whatever ref they are of",
    ):
        assert told in text, told


def test_the_chart_has_its_numbers_in_a_table(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = visitor.get(f"{hub.base}/pipelines?days=7")
    drawn = [one for one in shown.elements("rect") if one.get("class") in {"success", "other"} and "x" in one]
    assert len(drawn) >= 3
    assert "2026-09-19: 1 pipeline, 0 failed" in shown.text
    assert "2026-09-191100.0 %1" in shown.text
    assert {one.get("role") for one in shown.elements("svg") if one.get("class") == "spark"} == {"img"}


def test_a_path_becomes_an_id_in_the_address_and_narrows_every_figure(hub: ConsoleHub, visitor: Visitor) -> None:
    sent = visitor.send("GET", f"{hub.base}/pipelines?days=7&path=acme/shop-Ana&ref_class=tag")
    assert sent.status == 303
    assert sent.headers["location"] == f"{hub.base}/pipelines?project_id={SHOP}&days=7&ref_class=tag"
    text = visitor.get(f"{hub.base}/pipelines?days=7&path=ACME/SHOP-ana").text
    assert "Of 1 project, all read." in text
    assert "acme/shop-Ana all projects" in text
    group = visitor.get(f"{hub.base}/pipelines/projects?days=7&group_id={ACME}")
    assert f"{hub.base}/pipelines?project_id={SHOP}&days=7" in set(links(group))


def test_a_path_that_names_nothing_is_said_so_and_kept_in_the_form(hub: ConsoleHub, visitor: Visitor) -> None:
    for page in ("/pipelines", "/pipelines/list", "/jobs"):
        shown = visitor.get(f"{hub.base}{page}?path=acme/none&days=7")
        assert (shown.status, "There is no group or project at this path" in shown.text) == (404, True)
        [field] = [one for one in shown.elements("input") if one.get("name") == "path"]
        assert field["value"] == "acme/none"


def test_what_the_api_refuses_is_said_once(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = visitor.get(f"{hub.base}/pipelines?definition=nobody")
    assert (shown.status, shown.text.count("request req-1")) == (422, 1)
    gone = visitor.get(f"{hub.base}/pipelines?group_id=77")
    assert (gone.status, gone.text.count("not_found")) == (404, 1)


def test_days_without_a_pipeline_are_an_empty_state(hub: ConsoleHub, visitor: Visitor) -> None:
    text = visitor.get(f"{hub.base}/pipelines?from=2026-01-01&to=2026-01-03").text
    assert "No pipeline ran in these days." in text
    calm = visitor.get(f"{hub.base}/pipelines/projects?from=2026-01-01&to=2026-01-03").text
    assert "No job failed and succeeded on the same commit." in calm


def test_a_long_range_is_told_by_week(hub: ConsoleHub, visitor: Visitor) -> None:
    assert "by week" in visitor.get(f"{hub.base}/pipelines?from=2026-01-01&to=2026-09-21").text


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [(0.9, 0.85, ("5.0 points up", "good")), (0.5, 0.9, ("40.0 points down", "bad")),
     (0.9, 0.9, ("unchanged", "muted")),
     (None, 0.9, None), (0.9, None, None)],
)  # fmt: skip
def test_how_a_share_moved(now: float | None, before: float | None, said: tuple[str, str] | None) -> None:
    assert change(now, before) == said


def test_lists_name_projects_and_lead_to_the_pipeline(hub: ConsoleHub, visitor: Visitor) -> None:
    for page in ("/pipelines/list", f"/jobs?project_id={SHOP}", f"/jobs?group_id={ACME}&days=90"):
        shown = visitor.get(f"{hub.base}{page}")
        assert "acme/shop-Ana" in shown.text
        assert f"{hub.base}/projects/{SHOP}/pipelines/{BROKEN}" in set(links(shown))
    assert "attempt 1 of 2" in visitor.get(f"{hub.base}/jobs?failure_class=script").text
    assert "No job matches." in visitor.get(f"{hub.base}/jobs?failure_class=quota").text
    assert "No pipeline matches." in visitor.get(f"{hub.base}/pipelines/list?status=manual").text


def test_a_list_is_there_where_names_are_not(hub: ConsoleHub, visitor: Visitor) -> None:
    hub.away = {"access"}
    try:
        shown = visitor.get(f"{hub.base}/pipelines/list?project_id={SHOP}")
    finally:
        hub.away = set()
    assert (shown.status, f"#{BROKEN}" in shown.text, f"project {SHOP}" in shown.text) == (200, True, True)


def test_a_pipeline_tells_where_its_time_went_attempt_by_attempt(hub: ConsoleHub, visitor: Visitor) -> None:
    text = visitor.get(f"{hub.base}/projects/{SHOP}/pipelines/{BROKEN}").text
    told = "7 min 30 s from its creation to the end of the last job: 3 min 50 s something ran, 12 s all waited"
    assert told in text
    assert text.index("attempt 1 of 2") < text.index("attempt 2 of 2")
    assert "failed script" in text


def test_a_pipeline_leads_to_what_it_started_also_where_that_is_not_stored(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = visitor.get(f"{hub.base}/projects/{SHOP}/pipelines/{WHOLE}")
    assert f"{hub.base}/projects/{SHOP}/pipelines/{CHILD}" in set(links(shown))
    assert "in project 9999 not stored here" in shown.text
    assert visitor.get(f"{hub.base}/projects/{SHOP}/pipelines/1").status == 404


def test_what_is_missing_from_figures_is_counted_in_words() -> None:
    hub = ConsoleHub()
    state = ReadState(default_watermark=START * 1000, owed=2)
    ReadStates(hub.tables["pipelines"], hub.own).save(SHOP, state)
    visitor = hub.signed_in()
    text = visitor.get(f"{hub.base}/pipelines?project_id={SHOP}").text
    assert "Not everything: of 1 project, 0 not read; 2 pipelines that GitLab lists could not be read" in text
