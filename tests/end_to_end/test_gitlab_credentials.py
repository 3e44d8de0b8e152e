"""The inventory of tokens and keys of a deployed hub: all there is, with its risks, and never a token or key itself."""

import json

import pytest

from stand_in_gitlab.process import Running
from tests.end_to_end.companies import seconds
from tests.end_to_end.hub_client import Hub

LIST = "gitlab-credentials"
FIELDS = {
    "kind", "id", "name", "account_id", "resource", "scopes", "granular", "access_level", "can_push", "created_at",
    "last_used_at", "expires_at", "status", "risks", "web_url", "is_hub",
}  # fmt: skip


def midnight(text: str | None) -> int | None:
    return None if text is None else seconds(text if "T" in text else f"{text}T00:00:00Z")


def test_the_inventory_is_the_truth(hub: Hub, gitlab: Running, one: str) -> None:
    shown = {}
    for row in hub.rows(f"{one}/{LIST}", name="gitlab_credentials"):
        assert row.keys() >= FIELDS
        place = row["resource"] or {"type": None, "id": None}
        key = (row["kind"], row["id"], place["type"], place["id"])
        shown[key] = (row["name"], row["status"], row["expires_at"], row["account_id"], row["can_push"])
    real = {
        (row["kind"], row["id"], row["source"], row["source_id"]): (
            row["name"], row["status"], midnight(row["expires_at"]), row["user_id"], row["can_push"],
        )
        for row in gitlab.truth("credentials")
        if "canary" not in row["name"]
    }  # fmt: skip
    assert {key: shown.get(key) for key in real} == real
    assert {kind for kind, *_ in shown} == {
        "personal_token", "impersonation_token", "group_token", "project_token", "service_account_token",
        "deploy_token", "deploy_key", "ssh_key",
    }  # fmt: skip


def test_every_risk_has_its_list_and_its_count(hub: Hub, one: str) -> None:
    everything = hub.rows(f"{one}/{LIST}", name="gitlab_credentials")
    figures = {row["name"]: row for row in hub.get(f"{one}/access-summary")["figures"]}
    for risk in sorted({risk for row in everything for risk in row["risks"]}):
        figure = figures[f"credentials_{risk}"]
        listed = hub.rows(f"{one}/{LIST}", name="gitlab_credentials", risk=risk)
        assert figure["count"] == len(listed) == sum(risk in row["risks"] for row in everything)
        assert figure["url"] == f"{one}/{LIST}?risk={risk}"


def test_an_administrator_sees_all_of_it(hub: Hub, one: str) -> None:
    answer = hub.get(f"{one}/{LIST}", limit=200)
    assert (answer["unseen"], type(answer["read_at"])) == ([], int)
    assert [row["kind"] for row in answer["gitlab_credentials"] if row["is_hub"]] == ["personal_token"]
    assert "ssh-" not in json.dumps(answer["gitlab_credentials"])


@pytest.mark.parametrize(
    ("query", "allowed"), [("risk=no_expire", "older_than_year"), ("kind=pat", "deploy_key"), ("scope=api", "resource")]
)
def test_a_misspelt_value_is_told_what_is_allowed(hub: Hub, one: str, query: str, allowed: str) -> None:
    answer = hub.call("GET", f"{one}/{LIST}?{query}")
    assert answer.refusal == (422, "invalid_input")
    assert allowed in json.dumps(answer.body)
