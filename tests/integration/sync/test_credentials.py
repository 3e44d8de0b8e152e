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
