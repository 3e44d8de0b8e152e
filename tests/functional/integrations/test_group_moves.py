"""The group that an integration is limited to: its id is what counts, and its path is looked up."""

from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.integrations import rows
from gitlab_hub.integrations.model import identity_of
from gitlab_hub.storage.ports import Item
from tests.fakes.gitlab import HOST, answer, project
from tests.functional.integrations.integrations_hub import START, IntegrationsHub

START_PATH = "/v1/integrations/gitlab/start"
GROUP = 1


@pytest.fixture
def hub() -> IntegrationsHub:
    return IntegrationsHub()


@pytest.fixture
def one(hub: IntegrationsHub) -> str:
    return hub.start(group="acme")


def rename(hub: IntegrationsHub, path: str, *, group_id: int = GROUP) -> None:
    """Call the group otherwise: its former path finds nothing any more (lib/api/helpers.rb, `find_group`)."""
    script = hub.gitlab.script
    for name in [name for name in script if name.lower().startswith("/groups/acme")]:
        del script[name]
    inside = [project(3, path_with_namespace=f"{path}/p3")]
    for name in (path, str(group_id)):
        script[f"/groups/{name}"] = answer(body={"id": group_id, "full_path": path})
        script[f"/groups/{name}/projects"] = answer(body=inside)


def age(hub: IntegrationsHub, integration_id: str, *, path: str = "Acme") -> None:
    """Make of an integration what the release before has stored: a path, and a claim on the path."""
    stored = hub.stored_rows.get(rows.INTEGRATIONS, integration_id)
    assert stored is not None
    identity = identity_of(HOST, 7, path)
    hub.stored_rows.delete(f"IDENTITY#{stored['identity']}", "CLAIM")
    hub.stored_rows.put(rows.claim_item(identity, integration_id))
    old: Item = {name: value for name, value in stored.items() if name != "group_id"}
    hub.stored_rows.put(old | {"group": path, "identity": identity})


def verified(hub: IntegrationsHub, integration_id: str) -> Any:
    return hub("POST", f"/v1/integrations/{integration_id}/verify")[1]


def started(hub: IntegrationsHub, group: str) -> tuple[int, str | None]:
    status, body = hub("POST", START_PATH, START | {"group": group})
    return status, body.get("code")


def claims(hub: IntegrationsHub) -> list[str]:
    """Whose claims there are."""
    return [row["integration_id"] for row in hub.rows() if row["sk"] == "CLAIM"]


def test_a_renamed_group_is_verified_listed_and_synced_as_before(hub: IntegrationsHub, one: str) -> None:
    rename(hub, "ember")
    assert hub("GET", f"/v1/integrations/{one}/repositories")[1]["repositories"][0]["full_name"] == "ember/p3"
    assert hub.targets.target(one) == replace(_target(hub, one), group="Acme", group_id=GROUP)
    assert verified(hub, one)["ok"]
    assert hub.integration(one)["group"] == "ember"
    assert (_target(hub, one).group, _target(hub, one).group_id) == ("ember", GROUP)


def test_what_a_sync_sees_of_the_group_is_kept(hub: IntegrationsHub, one: str) -> None:
    hub.targets.store_group(_target(hub, one), group_id=GROUP, path="ember")
    assert hub.integration(one)["group"] == "ember"


def test_a_group_that_was_chosen_meanwhile_stays(hub: IntegrationsHub, one: str) -> None:
    before = _target(hub, one)
    assert hub("PATCH", f"/v1/integrations/{one}", {"group": None})[0] == 200
    hub.targets.store_group(before, group_id=GROUP, path="ember")
    assert hub.integration(one)["group"] is None
    hub("DELETE", f"/v1/integrations/{one}")
    hub.targets.store_group(before, group_id=GROUP, path="ember")
    assert hub.rows() == [row for row in hub.rows() if row.get("lifecycle") == rows.DELETING]


def test_a_renamed_group_is_not_connected_twice(hub: IntegrationsHub, one: str) -> None:
    rename(hub, "ember")
    assert started(hub, "ember") == (409, "duplicate_integration")
    assert claims(hub) == [one]


def test_another_group_of_the_former_path_is_another_group(hub: IntegrationsHub, one: str) -> None:
    rename(hub, "acme", group_id=2)
    assert started(hub, "acme") == (201, None)
    assert hub("PATCH", f"/v1/integrations/{one}", {"group": "Acme"})[0] == 200
    assert _target(hub, one).group_id == GROUP
    status, body = hub("PATCH", f"/v1/integrations/{one}", {"group": "acme"})
    assert (status, body["code"]) == (409, "duplicate_integration")


def test_the_new_path_of_the_same_group_can_be_given_by_hand(hub: IntegrationsHub, one: str) -> None:
    rename(hub, "ember")
    assert hub("PATCH", f"/v1/integrations/{one}", {"group": "ember"})[1]["integration"]["group"] == "ember"
    assert (_target(hub, one).group_id, claims(hub)) == (GROUP, [one])


@pytest.mark.parametrize("by", ["verification", "sync"])
def test_a_row_that_has_only_a_path_gets_its_id_when_it_is_used(hub: IntegrationsHub, one: str, by: str) -> None:
    age(hub, one)
    assert started(hub, "acme") == (409, "duplicate_integration")
    assert _target(hub, one).group_id is None
    if by == "sync":
        hub.targets.store_group(_target(hub, one), group_id=GROUP, path="Acme")
    else:
        assert verified(hub, one)["ok"]
    assert (_target(hub, one).group_id, claims(hub)) == (GROUP, [one])
    rename(hub, "ember")
    assert verified(hub, one)["ok"]
    assert started(hub, "ember") == (409, "duplicate_integration")
    assert hub("DELETE", f"/v1/integrations/{one}")[0] == 200
    assert (claims(hub), started(hub, "ember")) == ([], (201, None))


def test_two_that_turn_out_to_be_of_one_group_both_go_on(hub: IntegrationsHub, one: str) -> None:
    age(hub, one, path="former")
    two = hub.start(group="acme")
    hub.targets.store_group(_target(hub, one), group_id=GROUP, path="Acme")
    assert [(_target(hub, each).group, _target(hub, each).group_id) for each in (one, two)] == [("Acme", GROUP)] * 2
    assert sorted(claims(hub)) == sorted([one, two])


def _target(hub: IntegrationsHub, integration_id: str) -> Any:
    target = hub.targets.target(integration_id)
    assert target is not None
    return target
