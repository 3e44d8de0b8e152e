"""What the hub stored of tokens and keys, and what GitLab really has, in one form, to be compared."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from gitlab_hub.sync.incidents import incidents_of
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import RunStatus
from gitlab_hub.sync.scope_list import ListedScope
from tests.fakes.sync_worker import ID, SyncHub
from tests.integration.sync.stored_rows import reach

Where = tuple[str, int, str | None, int | None]
Facts = tuple[str, bool, int | None, int | None, int | None, bool | None, tuple[str, ...]]

OWNER, MAINTAINER = 50, 40
OF_ACCOUNTS = ("personal_token", "impersonation_token")
ACCESS_TOKENS = ("personal_token", "impersonation_token", "group_token", "project_token", "service_account_token")


def synced(hub: SyncHub) -> SyncHub:
    """Read access, then credentials."""
    hub.sync(Kind.ACCESS)
    hub.sync(Kind.CREDENTIALS)
    return hub


def stored(hub: SyncHub) -> dict[Where, Facts]:
    """Everything in the inventory; a row that is there twice is an error."""
    found: dict[Where, Facts] = {}
    for row in hub.rows[Kind.CREDENTIALS].dump():
        if row["pk"] == f"{ID}#credentials":
            where = (row["kind"], row["id"], row["resource_type"], row["resource_id"])
            assert where not in found
            found[where] = (
                row["name"], row["revoked"], row["ends_at"], row["account_id"], row["access_level"], row["can_push"],
                tuple(row["scopes"]),
            )  # fmt: skip
    return found


def real(hub: SyncHub, shown: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[Where, Facts]:
    """What there is, as far as `shown` says that the token is shown it."""
    return {
        (row["kind"], row["id"], row["source"], row["source_id"]): (
            row["name"], row["status"] == "revoked", seconds(row["expires_at"]), row["user_id"], row["access_level"],
            row["can_push"], tuple(row["scopes"]) if row["kind"] != "deploy_token" else DEPLOY_SCOPES,
        )
        for row in hub.server.truth("credentials")
        if shown(row)
    }  # fmt: skip


DEPLOY_SCOPES = ("read_repository", "read_registry")


def seconds(text: str | None) -> int | None:
    """A date or a time as unix seconds."""
    if text is None:
        return None
    return int(datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00+00:00").timestamp())


def shown_to(hub: SyncHub, token: str) -> Callable[[dict[str, Any]], bool]:
    """What GitLab shows to a token whose user is no administrator, by its documented rules."""
    seen = hub.server.control("GET", f"ground-truth/visibility?token={token}")
    groups, projects = reach(hub)
    accounts = {row["id"] for row in hub.rows[Kind.ACCESS].dump() if row["pk"] == f"{ID}#accounts"}
    states = {row["id"]: row["state"] for row in hub.server.truth("users")}
    tops = {row["id"] for row in hub.server.truth("groups") if row["parent_id"] is None}

    def level(row: dict[str, Any]) -> int:
        covered = groups if row["source"] == "group" else projects
        if row["source_id"] not in covered:
            return 0
        return int(seen[f"{row['source']}s"].get(str(row["source_id"]), 0))

    def is_shown(row: dict[str, Any]) -> bool:
        kind, is_own = row["kind"], bool(row["user_id"] == seen["user_id"])
        if kind == "ssh_key":
            return row["user_id"] in accounts and states[row["user_id"]] in {"active", "deactivated"}
        if kind in OF_ACCOUNTS:
            return is_own and kind != "impersonation_token"
        if kind == "service_account_token":
            return is_own or (row["source_id"] in tops and level(row) >= OWNER)
        return (is_own and kind in ACCESS_TOKENS) or level(row) >= (OWNER if kind == "group_token" else MAINTAINER)

    return is_shown


def noted(hub: SyncHub) -> list[ListedScope]:
    """What the run has noted of what it could not read."""
    return hub.service.scopes(ID, kind=Kind.CREDENTIALS, status=None, after=None, limit=200)[0]


def assert_whole(hub: SyncHub) -> None:
    """The run is complete, whatever it was not shown."""
    run = hub.run(Kind.CREDENTIALS)
    assert (run.status, run.incomplete, run.last_error, list(incidents_of(run))) == (RunStatus.IDLE, 0, None, [])
