from typing import Any

import pytest

from gitlab_hub.audit.model import AuditAction
from gitlab_hub.exports import slices
from gitlab_hub.exports.service import MOST_UNFINISHED
from gitlab_hub.storage.ports import QueueUnavailable
from gitlab_hub.web.principal import Principal, Role
from tests.functional.exports.export_hub import ADMIN, NOW, ExportHub

DAY = 86_400


@pytest.fixture
def hub() -> ExportHub:
    hub = ExportHub()
    hub.project(15)
    for number in range(1, 6):
        hub.pipeline(number, f"2026-11-0{number}T10:00:00Z")
    return hub


def refused(hub: ExportHub, **more: Any) -> str:
    status, body = hub.call("POST", "", {"dataset": "pipelines", "format": "csv", **more})
    assert status == 422, body
    assert hub.function.started == 0
    return str(body["error"])


def test_what_does_not_fit_is_refused_with_what_would(hub: ExportHub) -> None:
    assert "pipelines, jobs" in refused(hub, dataset="pipeline")
    assert "csv, jsonl or parquet" in refused(hub, format="xlsx")
    assert "may be" in refused(hub, projects=[1])
    assert "leave out from and to" in refused(hub, dataset="accounts", **{"from": 1})
    assert "leave out project_id" in refused(hub, dataset="accounts", project_id=1)
    assert "earlier one" in refused(hub, **{"from": "2026-11-02", "to": "2026-11-01"})
    for when in ("yesterday", "2026-13-01", "9999-12-31", "2026-11-02T99:00:00Z", ""):
        assert "body.from" in refused(hub, **{"from": when})
    assert hub.call("POST", "", None)[0] in {400, 422}


def test_a_token_limited_to_one_integration_sees_none_of_the_others(hub: ExportHub) -> None:
    mine, theirs = hub.made()["id"], hub.ask()
    limited = Principal("t-limited", Role.ADMIN, frozenset({"i2"}))
    for path in ("", f"/{mine}", f"/{theirs}", "/exp_unknown"):
        unknown = hub.call("GET", path, principal=limited, integration="unknown")
        assert hub.call("GET", path, principal=limited) == unknown
        assert unknown[0] == 404
    # An export is looked for in the integration that the path names, and nowhere else.
    assert hub.call("GET", f"/{mine}", principal=limited, integration="i2")[0] == 404
    assert hub.call("GET", "", principal=limited, integration="i2") == (200, {"exports": [], "next_cursor": None})


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEVELOPER])
def test_exports_are_for_admins(hub: ExportHub, role: Role) -> None:
    export = hub.made()
    caller = Principal("t", role)
    for method, path in (("GET", ""), ("GET", f"/{export['id']}"), ("POST", "")):
        body = {"dataset": "jobs", "format": "csv"} if method == "POST" else None
        assert hub.call(method, path, body, principal=caller)[0] == 403


def test_a_repeated_post_makes_one_export_and_its_answer_holds_no_link(hub: ExportHub) -> None:
    wanted, headers = {"dataset": "pipelines", "format": "csv"}, {"idempotency-key": "k1"}
    first = hub.call("POST", "", wanted, headers=headers)
    hub.work()
    assert hub.call("POST", "", wanted, headers=headers) == first
    assert first[1]["export"]["files"] == []
    assert "https" not in str(hub.integrations.dump())
    assert len(hub.call("GET")[1]["exports"]) == 1
    assert hub.call("POST", "", {**wanted, "format": "jsonl"}, headers=headers)[1]["code"] == "idempotency_mismatch"


def test_three_may_be_on_their_way_and_the_next_has_to_wait(hub: ExportHub) -> None:
    for _ in range(MOST_UNFINISHED):
        hub.ask()
    status, body = hub.call("POST", "", {"dataset": "jobs", "format": "csv"})
    assert (status, body["code"], body["retryable"]) == (409, "too_many_exports", True)
    hub.work()
    hub.ask("jobs")


def test_a_start_that_is_lost_is_made_good_by_the_tick(hub: ExportHub) -> None:
    def lost() -> None:
        raise QueueUnavailable

    start = hub.function.start
    hub.function.start = lost  # type: ignore[method-assign]
    export_id = hub.ask()
    hub.function.start = start  # type: ignore[method-assign]
    hub.recover()
    assert hub.show(export_id)["status"] == "done"


def test_nothing_is_begun_for_an_integration_that_is_being_removed(hub: ExportHub) -> None:
    hub.integrations.delete("INTEGRATIONS", "i1")
    assert hub.call("POST", "", {"dataset": "jobs", "format": "csv"})[0] == 404
    assert hub.function.started == 0


def test_exports_end(hub: ExportHub) -> None:
    export = hub.made()
    hub.now = NOW + 30 * DAY - 60
    (url,) = {file["url"].partition("&for=")[2] for file in hub.show(export["id"])["files"]}
    assert url == "60"  # a link does not outlive what it leads to
    hub.now = NOW + 30 * DAY
    assert hub.call("GET", f"/{export['id']}")[0] == 404
    assert hub.call("GET")[1]["exports"] == []


def test_the_newest_export_is_listed_first_page_by_page(hub: ExportHub) -> None:
    made = []
    for _ in range(3):
        made.append(hub.made()["id"])
        hub.now += 1
    _, first = hub.call("GET", query={"limit": 2})
    _, second = hub.call("GET", query={"limit": 2, "cursor": first["next_cursor"]})
    assert [one["id"] for one in first["exports"] + second["exports"]] == made[::-1]
    assert "files" not in first["exports"][0]


def test_files_come_page_by_page(hub: ExportHub) -> None:
    export = hub.made()
    paths: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        status, body = hub.call("GET", f"/{export['id']}", query={"limit": 2, **cursor})
        assert status == 200
        paths += [file["path"] for file in body["export"]["files"]]
        if body["next_cursor"] is None:
            break
        cursor = {"cursor": body["next_cursor"]}
    assert paths == [file["path"] for file in export["files"]]
    assert len(paths) == 5
    other = hub.made("jobs")["id"]
    assert hub.call("GET", f"/{other}", query=cursor)[1]["code"] == "invalid_cursor"


def test_an_export_with_too_many_files_fails_and_says_what_to_do(
    hub: ExportHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitlab_hub.exports.worker.MOST_FILES", 4)
    export = hub.made()
    assert (export["status"], export["error"]["code"]) == ("failed", "export_too_large")
    assert "project_id" in export["error"]["hint"]


def test_a_day_that_is_too_large_for_one_slice_has_several_files(
    hub: ExportHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "ENOUGH_ROWS", 2)
    monkeypatch.setattr(slices, "MOST_ROWS", 3)
    for number in range(6, 12):
        hub.pipeline(number, "2026-11-09T10:00:00Z")
    export = hub.made()
    last = [file for file in export["files"] if "day=2026-11-09" in file["path"]]
    assert [file["rows"] for file in last] == [2, 3, 1]
    assert len({file["path"] for file in export["files"]}) == len(export["files"])
    assert export["rows"] == 11


def test_who_asked_for_what_is_in_the_audit_log(hub: ExportHub) -> None:
    export_id = hub.ask("pipelines", "parquet", **{"from": "2026-11-02"}, project_id=15)
    (line,) = hub.integrations.dump("AUDIT#")
    assert (line["action"], line["actor"]) == (AuditAction.EXPORT_CREATE.value, ADMIN.token_id)
    assert line["details"]["target"] == export_id
    assert line["details"]["after"] == {
        "dataset": "pipelines", "format": "parquet", "project_id": 15, "from": NOW - 28 * DAY, "to": None,
    }  # fmt: skip


def test_a_slice_writes_no_more_files_than_fit_into_the_end_of_a_workers_time(
    hub: ExportHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "MOST_PARTS", 2)
    export = hub.made()
    assert [file["path"].rpartition("-")[2] for file in export["files"]] == [
        "000000.csv", "000000.csv", "000001.csv", "000001.csv", "000002.csv",
    ]  # fmt: skip
    assert export["rows"] == 5
