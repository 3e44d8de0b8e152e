"""How complete the stored pipelines are, over the whole hub."""

import pytest

from gitlab_hub.gitlab.fields import padded
from gitlab_hub.pipelines.keys import projects_pk
from gitlab_hub.pipelines.owed import Owed, OwedRows, unfinished
from gitlab_hub.pipelines.read_states import ReadState, ReadStates
from gitlab_hub.web.principal import Principal, Role
from tests.functional.api.api_hub import ApiHub

VIEWER = Principal("t1", Role.VIEWER)


@pytest.fixture
def hub() -> ApiHub:
    return ApiHub()


def know(hub: ApiHub, number: int, state: ReadState | None = None, **more: object) -> None:
    table = hub.tables["pipelines"]
    row = {"id": number, "path_with_namespace": f"acme/p{number}", **more}
    table.put({"pk": projects_pk(hub.own), "sk": padded(number), **row})
    if state is not None:
        ReadStates(table, hub.own).save(number, state)


def test_each_project_says_what_is_listed_stored_and_owed(hub: ApiHub) -> None:
    now = int(hub.now())
    read = ReadState(default_watermark=(now - 60) * 1000, default_listed=161, default_stored=160, child_listed=2,
                     child_stored=2, reconciled_at=now - 90, owed=1, unfinished=1)  # fmt: skip
    know(hub, 7, read)
    know(hub, 8, ReadState(error="invalid_permissions"))
    know(hub, 9)
    know(hub, 10, gone_at=now)
    OwedRows(hub.tables["pipelines"], hub.own).keep(
        Owed(project_id=7, pipeline_id=503, code="gitlab_unavailable", reason="500.", since=now)
    )
    OwedRows(hub.tables["pipelines"], hub.own).keep(unfinished({"id": 504}, 7, now=now))
    path = f"/v1/integrations/{hub.own}/pipelines/completeness"
    status, body = hub("GET", path, principal=VIEWER)
    unknown: dict[str, object] = {
        "stored": None,
        "listed": None,
        "last_reconciled_at": None,
        "owed": [],
        "unfinished": None,
        "without_details": 0,
        "next_look_at": None,
        "lag_seconds": None,
    }
    assert (status, body["next_cursor"]) == (200, None)
    assert body["completeness"] == [
        {"project_id": 7, "full_path": "acme/p7", "stored": 162, "listed": 163, "last_reconciled_at": now - 90,
         "owed": [503], "unfinished": 1, "without_details": 0, "next_look_at": None, "lag_seconds": 60, "error": None},
        {"project_id": 8, "full_path": "acme/p8", **unknown, "error": "invalid_permissions"},
        {"project_id": 9, "full_path": "acme/p9", **unknown, "error": None},
    ]  # fmt: skip


def test_pages_go_on_where_they_ended(hub: ApiHub) -> None:
    for number in range(1, 4):
        know(hub, number)
    path = f"/v1/integrations/{hub.own}/pipelines/completeness"
    _, first = hub("GET", path, query={"limit": "2"})
    _, second = hub("GET", path, query={"limit": "2", "cursor": first["next_cursor"]})
    assert [one["project_id"] for page in (first, second) for one in page["completeness"]] == [1, 2, 3]
    assert hub("GET", f"/v1/integrations/{hub.other}/pipelines/completeness")[1]["completeness"] == []
