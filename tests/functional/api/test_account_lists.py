"""Which of GitLab's lists of accounts an integration reads, and what it would take to read the others."""

import pytest

from gitlab_hub.gitlab.account_lists import GROUP_LISTS, READING
from gitlab_hub.sync.ports import Kind
from gitlab_hub.sync.run import Run, RunStatus
from gitlab_hub.sync.scope_notes import partition
from gitlab_hub.sync.store import RunStore
from gitlab_hub.web.principal import Principal, Role
from tests.functional.api.api_hub import ApiHub

VIEWER = Principal("t1", Role.VIEWER)


@pytest.fixture
def hub() -> ApiHub:
    return ApiHub()


def lists(hub: ApiHub) -> dict[str, tuple[str, str | None]]:
    status, body = hub("GET", f"/v1/integrations/{hub.own}", principal=VIEWER)
    assert status == 200
    names = {one.name for one in GROUP_LISTS}
    return {
        one["name"]: (one["available"], one["to_change"])
        for one in body["integration"]["capabilities"]
        if one["name"] in names
    }


def test_before_a_sync_nobody_knows(hub: ApiHub) -> None:
    assert lists(hub) == {one.name: ("unknown", "The next access sync tries it.") for one in GROUP_LISTS}


def test_after_a_sync_each_list_says_whether_it_is_read_and_what_would_change_it(hub: ApiHub) -> None:
    table = hub.tables["integrations"]
    ended = Run(integration_id=hub.own, kind=Kind.ACCESS, status=RunStatus.IDLE, sync_id="s1", finished_at=1)
    RunStore(table).save(ended)
    sk = f"SCOPE#{Kind.ACCESS}#{READING}#enterprise_users"
    said = {"status": "forbidden", "code": "invalid_permissions", "hint": "Be an Owner.", "sync_id": "s1"}
    table.put({"pk": partition(hub.own), "sk": sk, "schema_version": 1, **said})
    shown = lists(hub)
    assert shown.pop("enterprise_users") == ("no", "Be an Owner.")
    assert set(shown.values()) == {("yes", None)}
