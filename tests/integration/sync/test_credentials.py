"""The inventory of tokens and keys over the wire: it equals the truth as far as the token is shown it."""

import pytest

from gitlab_hub.sync.ports import Kind
from stand_in_gitlab.process import Running
from tests.fakes.sync_worker import SyncHub
from tests.integration.sync.credential_rows import assert_whole, noted, real, shown_to, stored, synced


@pytest.mark.parametrize("token", ["admin", "admin-read"])
def test_an_administrators_inventory_is_all_there_is(fresh: Running, token: str) -> None:
    hub = synced(SyncHub(fresh, token))
    assert stored(hub) == real(hub) != {}
    assert_whole(hub)
    assert noted(hub) == []
    assert "glpat" not in repr([table.dump() for table in (hub.state, *hub.rows.values())])
    assert "ssh-ed25519" not in repr(hub.rows[Kind.CREDENTIALS].dump())


@pytest.mark.parametrize("token", ["owner-read", "group", "project", "service"])
def test_an_owner_is_shown_what_is_its_own(fresh: Running, token: str) -> None:
    hub = synced(SyncHub(fresh, token))
    assert stored(hub) == real(hub, shown_to(hub, token))
    assert_whole(hub)
    assert {"personal_token", "impersonation_token"} <= {note.stage for note in noted(hub)}


@pytest.mark.parametrize("token", ["admin", "owner-read"])
def test_a_second_sync_writes_nothing(fresh: Running, token: str) -> None:
    hub = synced(SyncHub(fresh, token))
    before = stored(hub)
    again = hub.sync(Kind.CREDENTIALS)
    assert (again.counts["rows_written"], again.counts.get("rows_removed", 0), stored(hub)) == (0, 0, before)


@pytest.mark.parametrize(
    ("token", "path"),
    [
        ("owner-read", "/personal_access_tokens$"),
        ("owner-read", "/service_accounts$"),
        ("owner-read", "/service_accounts/.*/personal_access_tokens$"),
        ("admin", "/deploy_keys$"),
    ],
)
def test_an_empty_list_ends_nothing_that_may_still_be_there(fresh: Running, token: str, path: str) -> None:
    hub = synced(SyncHub(fresh, token))
    before = stored(hub)
    fresh.fault("empty_list", path=path, times=0)
    hub.sync(Kind.CREDENTIALS)
    assert stored(hub) == before


def test_a_service_account_takes_its_tokens_along(fresh: Running) -> None:
    hub = synced(SyncHub(fresh, "owner-read"))
    holders = {facts[3] for where, facts in stored(hub).items() if where[0] == "service_account_token"}
    for holder in holders:
        fresh.change("remove_user", id=holder)
    synced(hub)
    assert holders
    assert [where for where in stored(hub) if where[0] == "service_account_token"] == []
