"""A sync into empty tables makes them equal GitLab's own books, whoever's token it uses; a second writes nothing."""

import json
import urllib.request
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from gitlab_hub.pipelines.model import in_seconds
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from stand_in_gitlab.process import Running, running
from tests.fakes.sync_worker import ID, SyncHub
from tests.integration.sync.conftest import BOTH, EPOCH, KINDS
from tests.integration.sync.stored_rows import mirrored, stored, truth

SIZES = ("--users", "120", "--groups", "14", "--projects", "24", "--pipelines", "4", "--jobs", "5", "--seed", "6")


@pytest.fixture(scope="module")
def company() -> Iterator[Running]:
    with running("--frozen", "--epoch", EPOCH, *SIZES) as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def synced(company: Running) -> SyncHub:
    """An administrator's hub after a sync of both kinds."""
    hub = SyncHub(company)
    for kind in BOTH:
        assert hub.sync(kind).status is RunStatus.IDLE
    return hub


def rows_of(hub: SyncHub, path: str) -> list[dict[str, Any]]:
    """A list (or one row) as GitLab's API gives it."""
    request = urllib.request.Request(f"{hub.server.base}/api/v4{path}")  # noqa: S310 - http on loopback
    request.add_header("Authorization", f"Bearer {hub.targets.token}")
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http on loopback
        body = json.load(answer)
        return body if isinstance(body, list) else [body]


@KINDS
@pytest.mark.parametrize(
    ("token", "limited"),
    [("admin", False), ("admin-read", False), ("owner-read", False), ("group", False), ("service", False),
     ("admin", True), ("owner-read", True)],
)  # fmt: skip
def test_tables_equal_what_the_token_reaches(company: Running, kind: Kind, token: str, limited: bool) -> None:
    group = company.truth("groups")[0]["full_path"] if limited else None
    hub = SyncHub(company, token, group=group)
    assert (hub.sync(kind).status, hub.targets.verdicts) == (RunStatus.IDLE, ["accepted"])
    expected = truth(hub, kind)
    assert stored(hub, kind) == expected
    assert all(expected.values())


@KINDS
def test_lists_of_projects_may_have_several_pages(kind: Kind) -> None:
    many = ("--users", "6", "--groups", "3", "--projects", "230", "--pipelines", "1", "--jobs", "1", "--seed", "6")
    with running("--frozen", "--epoch", EPOCH, *many) as stand_in:
        group = stand_in.truth("groups")[0]["full_path"]
        for hub in (SyncHub(stand_in), SyncHub(stand_in, group=group)):
            assert hub.sync(kind).status is RunStatus.IDLE
            assert stored(hub, kind) == truth(hub, kind)


def test_the_tokens_reach_different_things(company: Running) -> None:
    groups = {token: len(truth(SyncHub(company, token), Kind.ACCESS)["groups"]) for token in ("admin", "owner-read")}
    assert groups["owner-read"] < groups["admin"]


@KINDS
def test_a_second_sync_writes_nothing_and_asks_little(synced: SyncHub, kind: Kind) -> None:
    hub = synced.clone()
    before = mirrored(hub, kind)
    again = hub.sync(kind)
    assert (again.status, again.counts["rows_written"], mirrored(hub, kind)) == (RunStatus.IDLE, 0, before)
    books = hub.server.control("GET", "ground-truth")["counts"]
    # Lists of users, groups and projects (two pages each at most) and the question about rights; then one request per
    # project, two per group. Pipelines: one list of projects, then the two streams and the newest ids of each project.
    most = {Kind.ACCESS: 7 + books["projects"] + 2 * books["groups"], Kind.PIPELINES: 2 + 3 * books["projects"]}
    assert len(hub.requests) == again.counts["requests"] <= most[kind]


def test_accounts_have_what_administrators_see(synced: SyncHub) -> None:
    pages = [rows_of(synced, f"/users?per_page=100&page={number}") for number in (1, 2)]
    told = {row["id"]: row for page in pages for row in page}
    kept = {row["id"]: row for row in synced.rows[Kind.ACCESS].dump() if row["pk"] == f"{ID}#accounts"}
    assert kept.keys() == told.keys()
    for number, row in kept.items():
        same = (
            "username",
            "name",
            "state",
            "is_admin",
            "is_auditor",
            "external",
            "two_factor_enabled",
            "last_activity_on",
            "web_url",
        )
        assert {name: row[name] for name in same} == {name: told[number][name] for name in same}
        assert {"value": told[number]["email"], "source": "account", "primary": True} in row["emails"]
        assert len(row["identities"]) == len(told[number]["identities"])


def test_accounts_know_who_stands_behind_them(synced: SyncHub) -> None:
    kept = {row["id"]: row["kind"] for row in synced.rows[Kind.ACCESS].dump() if row["pk"] == f"{ID}#accounts"}
    for row in synced.server.truth("users"):
        machine = row["username"].startswith("service_account_")
        expected = (
            "service_account" if machine else "human" if not row["bot"] else row["username"].split("_")[0] + "_bot"
        )
        assert kept[row["id"]] == expected, row["username"]


def test_every_field_of_pipelines_and_jobs_is_kept(synced: SyncHub) -> None:
    table = synced.rows[Kind.PIPELINES]
    items = [item for item in table.dump() if item["pk"].startswith(f"{ID}#pipelines#")]
    children = [item for item in items if item["source"] == "parent_pipeline"]
    for item in [*children, *items[::9]]:
        path = f"/projects/{item['project_id']}/pipelines/{item['id']}"
        [told] = rows_of(synced, path)
        kept = json.loads(zlib.decompress(item["body"]))
        left_out = {"archived", "detailed_status", "user"}
        # GraphQL tells no parts of a second.
        kept_in_seconds, told_in_seconds = in_seconds(kept), in_seconds(told)
        assert {name: kept_in_seconds[name] for name in told.keys() - left_out} == {
            name: told_in_seconds[name] for name in told.keys() - left_out
        }
        assert kept["user"]["id"] == told["user"]["id"]
        attempts = {job["id"]: job for job in rows_of(synced, f"{path}/jobs?include_retried=true&per_page=100")}
        jobs = jobs_of(synced, item)
        assert jobs.keys() == attempts.keys()
        for number, job in jobs.items():
            common = job.keys() & attempts[number].keys() - {"user", "runner"}
            assert {name: job[name] for name in common} == {name: attempts[number][name] for name in common}
            assert len(common) >= 15


def test_attempts_are_numbered_by_name(synced: SyncHub) -> None:
    retried = 0
    for item in synced.rows[Kind.PIPELINES].dump():
        if not item["pk"].startswith(f"{ID}#pipelines#"):
            continue
        jobs = jobs_of(synced, item)
        for number, job in jobs.items():
            same = sorted(other["id"] for other in jobs.values() if other["name"] == job["name"])
            assert (job["attempt_no"], job["attempt_count"]) == (same.index(number) + 1, len(same))
            assert job["retried"] == (number != same[-1])
            retried += job["retried"]
    assert retried == sum(row["retried"] for row in synced.server.truth("jobs"))
    assert retried > 0


def jobs_of(hub: SyncHub, item: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The stored attempts of a stored pipeline."""
    pk, prefix = f"{ID}#jobs#{item['project_id']}", f"{item['id']:012d}#jobs#"
    chunks = hub.rows[Kind.PIPELINES].query(pk, prefix=prefix).items
    return {job["id"]: job for chunk in chunks for job in json.loads(zlib.decompress(chunk["data"]))}
