"""Exports on pages: asked for, seen to come, and downloaded by links that are made when somebody clicks."""

from collections.abc import Mapping
from typing import Any

import pytest

from gitlab_hub.exports.model import TOO_LARGE, failed
from gitlab_hub.exports.store import ExportStore
from tests.functional.console.console_hub import SHOP, START, ConsoleHub
from tests.functional.console.visitor import Shown, Visitor, links

BUCKET = "https://bucket.example/"


@pytest.fixture(scope="module")
def hub() -> ConsoleHub:
    hub = ConsoleHub()
    hub.export()
    return hub


def make(hub: ConsoleHub, visitor: Visitor, **fields: str) -> Shown:
    """Fill in the form and send it; gives its answer."""
    page = f"{hub.base}/exports"
    form = visitor.get(page).form(page)
    return visitor.post(page, {**form, "dataset": "pipelines", "format": "csv", **fields})


def made(hub: ConsoleHub, visitor: Visitor, **fields: str) -> str:
    """Have an export made, and give its page."""
    page = make(hub, visitor, **fields).headers["location"]
    hub.export()
    return page


def polls(shown: Shown) -> list[str]:
    """Where a page asks by itself."""
    return [str(one["hx-get"]) for one in shown.elements("div") if "hx-get" in one]


def exports(hub: ConsoleHub) -> list[dict[str, Any]]:
    return list(hub("GET", f"/v1/integrations/{hub.own}/exports")[1]["exports"])


def test_an_export_is_asked_for_seen_to_come_and_listed(hub: ConsoleHub, visitor: Visitor) -> None:
    before = len(exports(hub))
    page = make(hub, visitor, **{"from": "2026-09-01", "to": "2026-09-30", "path": "acme/shop-Ana"}).headers["location"]
    shown = visitor.get(page)
    for told in ("Export of pipelines", "0 rows in 0 files so far", "acme/shop-Ana", "from 2026-09-01, to 2026-09-30"):
        assert told in shown.text, told
    [poll] = polls(shown)
    assert "so far" in visitor.get(poll, hx_request="true").text
    assert polls(visitor.get(f"{hub.base}/exports")) == [f"{hub.base}/exports/progress"]
    hub.export()
    done = visitor.get(poll, hx_request="true")
    assert ("so far" in done.text, polls(done), "<html" in done.html) == (False, [], False)
    listed = visitor.get(f"{hub.base}/exports/progress", hx_request="true")
    assert (polls(listed), listed.text.count("done"), "<html" in listed.html) == ([], before + 1, False)
    assert [one["project_id"] for one in exports(hub) if one["id"] == page.rpartition("/")[2]] == [SHOP]


def test_without_a_script_a_piece_of_a_page_is_the_page(hub: ConsoleHub, visitor: Visitor) -> None:
    one = f"{hub.base}/exports/{hub.ids['export_id']}"
    for page in (f"{hub.base}/exports", one):
        assert visitor.send("GET", f"{page}/progress").headers["location"] == page


def test_a_page_holds_no_link_to_the_bucket_and_a_click_makes_one(hub: ConsoleHub, visitor: Visitor) -> None:
    page = made(hub, visitor)
    shown = visitor.get(page)
    files = [link for link in links(shown) if link.startswith(f"{page}/file?")]
    assert (len(files) > 2, BUCKET in shown.html) == (True, False)
    for link in files:
        sent = visitor.send("GET", link)
        key = sent.headers["location"].removeprefix(BUCKET).partition("?")[0]
        assert (sent.status, key in hub.container.bucket.dump()) == (303, True)
        assert (sent.headers["cache-control"], sent.headers["referrer-policy"]) == ("no-store", "same-origin")


def test_files_are_paged_and_those_of_a_later_page_are_found(
    hub: ConsoleHub, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitlab_hub.console.pages.exports.PAGE", 2)
    page = made(hub, visitor)
    first = visitor.get(page)
    [following] = [str(one["href"]) for one in first.elements("a") if one.get("rel") == "next"]
    files = [link for link in links(visitor.get(following)) if "path=dataset" in link]
    assert {visitor.send("GET", link).status for link in files} == {303}
    assert len({*files, *(link for link in links(first) if "path=dataset" in link)}) == 2 + len(files)


@pytest.mark.parametrize(
    "path", ["", "../manifest.json", "none.csv", "https://evil.example.com/x", "//evil.example.com"]
)
def test_a_click_leads_to_files_of_the_export_and_nowhere_else(hub: ConsoleHub, visitor: Visitor, path: str) -> None:
    sent = visitor.send("GET", f"{hub.base}/exports/{hub.ids['export_id']}/file?path={path}")
    assert (sent.status, "location" in sent.headers) == (404, False)


def test_an_export_that_is_not_done_has_no_file(hub: ConsoleHub, visitor: Visitor) -> None:
    page = make(hub, visitor).headers["location"]
    assert visitor.send("GET", f"{page}/file?path=manifest.json").status == 404
    hub.export()
    assert visitor.send("GET", f"{page}/file?path=manifest.json").status == 303


@pytest.mark.parametrize(
    ("fields", "status", "told"),
    [
        ({"dataset": "accounts", "from": "2026-09-01"}, 422, "leave out from and to"),
        ({"dataset": "accounts", "path": "acme/shop-Ana"}, 422, "leave out project_id"),
        ({"from": "2026-09-02", "to": "2026-09-01"}, 422, "earlier one"),
        ({"from": "soon"}, 422, "invalid_input"),
        ({"path": "acme"}, 404, "There is no project at this path"),
        ({"dataset": "secrets"}, 422, "invalid_input"),
        ({"format": ""}, 422, "invalid_input"),
    ],
)
def test_what_cannot_be_exported_is_said_with_what_was_given(
    hub: ConsoleHub, visitor: Visitor, fields: Mapping[str, str], status: int, told: str
) -> None:
    before = len(exports(hub))
    shown = make(hub, visitor, **fields)
    assert (shown.status, told in shown.text, len(exports(hub))) == (status, True, before)
    given = {str(one.get("name")): one.get("value") for one in shown.elements("input")}
    assert {name: value for name, value in fields.items() if given.get(name, value) != value} == {}
    chosen = [one["value"] for one in shown.elements("option") if "selected" in one]
    assert chosen == [value for value in (fields.get("dataset", "pipelines"), fields.get("format", "csv"))
                      if value not in {"secrets", ""}]  # fmt: skip


def test_a_fourth_has_to_wait_and_a_form_counts_once(hub: ConsoleHub, visitor: Visitor) -> None:
    page = visitor.get(f"{hub.base}/exports")
    fields = {**page.form(f"{hub.base}/exports"), "dataset": "grants", "format": "csv"}
    first, again = (visitor.post(f"{hub.base}/exports", fields).headers["location"] for _ in range(2))
    assert first == again
    assert [make(hub, visitor).status for _ in range(2)] == [303, 303]
    refused = make(hub, visitor)
    assert (refused.status, "too_many_exports" in refused.text) == (409, True)
    hub.export()


def test_a_failed_export_says_what_to_do(hub: ConsoleHub, visitor: Visitor) -> None:
    page = make(hub, visitor).headers["location"]
    store = ExportStore(hub.tables["integrations"])
    export = store.get(hub.own, page.rpartition("/")[2])
    assert export is not None
    assert store.save(failed(export, TOO_LARGE, at=START))
    shown = visitor.get(page)
    assert ("name a project_id, or a shorter time." in shown.text, polls(shown)) == (True, [])
    assert "export_too_large" in visitor.get(f"{hub.base}/exports").text


def test_where_the_list_cannot_be_had_it_is_said_and_asked_for_again(hub: ConsoleHub, visitor: Visitor) -> None:
    hub.away = {"access"}
    try:
        shown = visitor.get(f"{hub.base}/exports")
    finally:
        hub.away = set()
    assert ("The list of exports cannot be shown." in shown.text, polls(shown)) == (
        True, [f"{hub.base}/exports/progress"]
    )  # fmt: skip
    assert "Make an export" in shown.text


def test_no_export_is_said_so(hub: ConsoleHub, visitor: Visitor) -> None:
    shown = visitor.get(f"/console/{hub.other}/exports")
    assert ("There are no exports." in shown.text, polls(shown)) == (True, [])


def test_exports_are_for_admins(hub: ConsoleHub) -> None:
    developer = hub.signed_in(hub.token(role="developer")["token"])
    one = f"{hub.base}/exports/{hub.ids['export_id']}"
    form = {
        "form_key": developer.get(hub.base).form("/console/sign-out")["form_key"],
        "dataset": "jobs",
        "format": "csv",
    }
    assert developer.post(f"{hub.base}/exports", form).status == 403
    for path in (one, f"{one}/file?path=manifest.json", f"{hub.base}/exports"):
        assert "permission_denied" in developer.get(path).text
    assert "Export…" not in developer.get(f"{hub.base}/pipelines/list").text
    assert hub.signed_in(hub.token(role="admin")["token"]).get(one).status == 200


def test_an_export_of_another_integration_is_an_unknown_one(hub: ConsoleHub, visitor: Visitor) -> None:
    assert visitor.get(f"/console/{hub.other}/exports/{hub.ids['export_id']}").status == 404


def test_a_list_of_pipelines_leads_to_its_export(hub: ConsoleHub, visitor: Visitor) -> None:
    listed = visitor.get(f"{hub.base}/pipelines/list?days=7&project_id={SHOP}")
    [link] = [one for one in links(listed) if "/exports?" in one]
    form = visitor.get(link)
    values = {str(one.get("name")): one.get("value") for one in form.elements("input")}
    assert (values["from"], values["to"], values["path"]) == ("2026-09-15", "2026-09-21", "acme/shop-Ana")
