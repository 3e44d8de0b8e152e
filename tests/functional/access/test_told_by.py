"""What callers see of the lists that tell of an account, and of the names of custom roles."""

from dataclasses import replace

from gitlab_hub.access.model import Account
from gitlab_hub.access.sources.layers import layered, place_of
from gitlab_hub.access.sources.store import NOT_ASKED, READ, ListState
from gitlab_hub.inventory.model import Resource, ResourceType, Share
from tests.functional.access.access_api import NOW, Client

SEAT = Account(id=5, username="jane", last_activity_on="2026-03-01", activity_source="billable_members")
PROVIDER = Account(id=5, identities=[{"provider": "group_scim", "extern_uid": "s-5"}])
SEATS, IDENTITIES = place_of("billable_members", 12), place_of("scim_identities", 12)


def tell(client: Client) -> None:
    ground = Account(id=5, username="jane", name="Jane", state="active")
    client.store(layered(ground, {SEATS: SEAT, IDENTITIES: PROVIDER}))
    sources = client.access_store().sources
    sources.keep(ListState(place=SEATS, status="forbidden", at=NOW, read_at=NOW - 86_400))
    sources.keep(ListState(place=IDENTITIES, status=READ, at=NOW, read_at=NOW))


def test_an_account_names_the_lists_that_tell_of_it_and_whether_they_are_current(client: Client) -> None:
    tell(client)
    _, body = client.get("accounts/5")
    assert body["account"]["told_by"] == [
        {"list": "billable_members", "group_id": 12, "read_at": NOW - 86_400, "current": False},
        {"list": "scim_identities", "group_id": 12, "read_at": NOW, "current": True},
    ]
    assert (body["account"]["last_activity_on"], body["account"]["activity_source"]) == (
        "2026-03-01", "billable_members",
    )  # fmt: skip
    assert body["account"]["sources"] == {"last_activity_on": "billable_members"}
    assert "beneath" not in body["account"]
    assert client.every("accounts", q="jane") == [body["account"]]


def test_a_list_that_nobody_asks_for_any_more_is_not_current(client: Client) -> None:
    tell(client)
    sources = client.access_store().sources
    sources.keep(replace(sources.states()[IDENTITIES], status=NOT_ASKED))
    _, body = client.get("accounts/5")
    assert [one["current"] for one in body["account"]["told_by"]] == [False, False]


def test_a_custom_role_of_an_invited_group_has_the_name_that_gitlab_lists(client: Client) -> None:
    share: Share = {"group_id": 3, "full_path": "ops", "access_level": 20, "ends_at": None, "member_role_id": 101}
    group = Resource(id=2, full_path="acme/teams", name="Teams", shared_with=[share])
    client.store(group)
    client.store(replace(group, id=9, full_path="acme/shop"), kind=ResourceType.PROJECT)
    unnamed = {"id": 101, "name": None}
    assert client.get("groups/2")[1]["group"]["shared_with"][0]["member_role"] == unnamed
    client.access_store().sources.keep_roles({101: "Release captain"}, NOW)
    named = {"id": 101, "name": "Release captain"}
    assert client.get("groups/2")[1]["group"]["shared_with"][0]["member_role"] == named
    assert client.get("projects/9")[1]["project"]["shared_with"][0]["member_role"] == named
    for path, number in (("groups", 2), ("projects", 9)):
        [shown] = [one for one in client.every(path) if one["id"] == number]
        assert shown["shared_with"][0]["member_role"] == named
