"""The history of access in a deployed hub: a snapshot after a sync, and the files for auditors."""

import csv
import urllib.request
from http import HTTPStatus
from urllib.error import HTTPError

from tests.end_to_end.hub_client import Hub, until
from tests.end_to_end.stores import invoke, tick


def test_a_sync_leaves_a_snapshot_that_the_files_are_made_of(hub: Hub, one: str) -> None:
    def has_snapshot() -> bool:
        invoke(hub.stack, "SyncAccountsFunction", tick("sync_accounts"))
        return is_there(hub, f"{one}/population.csv")

    hub.sync(one)
    until(has_snapshot, pause=1.0)
    population = {row["scope"]: int(row["rows"]) for row in exported(hub, f"{one}/population.csv")}
    assert population["accounts"] == len(hub.rows(f"{one}/accounts"))
    rows = exported(hub, f"{one}/access-review.csv")
    named = {(row["resource_type"], row["resource_id"]) for row in rows}
    assert len(named) > 3
    assert {row["source_system"] for row in rows} == {"gitlab"}
    assert exported(hub, f"{one}/leavers.csv") is not None
    early = hub.call("GET", f"{one}/access-review.csv?as_of=2020-01-01")
    assert early.refusal == (404, "no_history")


def is_there(hub: Hub, path: str) -> bool:
    """Whether there is such a file yet."""
    try:
        return exported(hub, path) != []
    except HTTPError as error:
        if error.code != HTTPStatus.NOT_FOUND:
            raise
        return False


def exported(hub: Hub, path: str) -> list[dict[str, str]]:
    """The rows of a file."""
    request = urllib.request.Request(f"{hub.url}{path}")  # noqa: S310 - http on loopback
    request.add_header("Authorization", f"Bearer {hub.owner_token}")
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http on loopback
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert answer.headers["Repr-Digest"].startswith("sha-256=:")
        return list(csv.DictReader(answer.read().decode().splitlines()))
