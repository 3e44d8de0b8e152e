"""Tokens and keys out of GitLab's rows: an allow-list of fields, whatever else a row has."""

import json
from pathlib import Path
from typing import Any

import pytest

from gitlab_hub.access.credentials.model import Credential
from gitlab_hub.access.credentials.transform import (
    deploy_key_of,
    deploy_keys_of,
    deploy_token_of,
    place_of,
    ssh_key_of,
    token_of,
    token_of_account,
)
from gitlab_hub.access.model import Account
from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.gitlab.credential_kinds import CredentialKind
from gitlab_hub.gitlab.errors import UnexpectedResponse
from gitlab_hub.inventory.model import ResourceType

GROUP, PROJECT = ResourceType.GROUP, ResourceType.PROJECT
CREATED = 1_615_324_307  # 2021-03-09T21:11:47Z
RECORDED = Path(__file__).parents[3] / "data" / "gitlab" / "responses"
SECRETS = {"token": "glpat-secret", "key": "ssh-ed25519 AAAA", "public_key": "ssh-ed25519 AAAA"}


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text("utf-8"))


def test_recorded_tokens_of_a_group() -> None:
    used, silent = (
        token_of(row, CredentialKind.GROUP_TOKEN, (GROUP, 7)) for row in recorded("list_group_access_tokens")
    )
    assert used == Credential(
        kind=CredentialKind.GROUP_TOKEN, id=1876, name="token 10", account_id=2453, resource_type=GROUP, resource_id=7,
        scopes=["api", "read_api", "read_repository", "write_repository"], access_level=40, created_at=CREATED,
        last_used_at=CREATED + 86_400, tells_use=True,
    )  # fmt: skip
    # The second row of GitLab's own example does not say when it was used.
    assert (silent.last_used_at, silent.tells_use, silent.access_level) == (None, False, 30)


def test_a_recorded_personal_token() -> None:
    found = token_of(recorded("list_personal_access_tokens_single"), CredentialKind.PERSONAL_TOKEN)
    assert (found.id, found.account_id, found.scopes, found.ends_at, found.revoked) == (1, 1, ["api"], None, False)


def test_a_token_ends_with_the_first_second_of_its_day() -> None:
    assert token_of({"id": 1, "expires_at": "2026-12-24"}, CredentialKind.PERSONAL_TOKEN).ends_at == 1_798_070_400


@pytest.mark.parametrize("row", [{"granular": True, "scopes": []}, {"scopes": ["granular"]}])
def test_a_fine_grained_token_is_one_in_either_spelling(row: dict[str, Any]) -> None:
    assert token_of({"id": 1, **row}, CredentialKind.PERSONAL_TOKEN).granular


@pytest.mark.parametrize(
    ("kind", "username", "is_now", "place"),
    [
        (AccountKind.HUMAN, "group_7_bot_ab", CredentialKind.PERSONAL_TOKEN, None),
        (AccountKind.UNKNOWN, "jane", CredentialKind.PERSONAL_TOKEN, None),
        (AccountKind.GROUP_BOT, "group_7_bot_0a1b", CredentialKind.GROUP_TOKEN, (GROUP, 7)),
        (AccountKind.PROJECT_BOT, "project_15_bot2", CredentialKind.PROJECT_TOKEN, (PROJECT, 15)),
        (AccountKind.SERVICE_ACCOUNT, "service_account_group_7_0a1b", CredentialKind.SERVICE_ACCOUNT_TOKEN, (GROUP, 7)),
        (AccountKind.SERVICE_ACCOUNT, "sync-robot", CredentialKind.SERVICE_ACCOUNT_TOKEN, None),
    ],
)
def test_whose_a_token_is_tells_what_it_is(
    kind: AccountKind, username: str, is_now: CredentialKind, place: tuple[ResourceType, int] | None
) -> None:
    found = token_of_account({"id": 1, "user_id": 4}, Account(id=4, username=username, kind=kind), level=40)
    where = None if found.resource_type is None else (found.resource_type, found.resource_id)
    assert (found.kind, where, found.account_id, found.access_level) == (is_now, place, 4, 40)


def test_names_that_say_nothing_have_no_place() -> None:
    assert [place_of(name) for name in ("jane", "group_bot_7", "project__bot_1", "service_account_0a")] == [None] * 4


def test_a_deploy_token_ends_at_a_moment() -> None:
    row = {
        "id": 3,
        "name": "pull",
        "expires_at": "2020-02-14T00:00:01.000Z",
        "scopes": ["read_registry"],
        "revoked": True,
    }
    assert deploy_token_of(row, (PROJECT, 8)) == Credential(
        kind=CredentialKind.DEPLOY_TOKEN, id=3, name="pull", resource_type=PROJECT, resource_id=8,
        scopes=["read_registry"], ends_at=1_581_638_401, revoked=True,
    )  # fmt: skip


def test_a_deploy_key_is_one_credential_in_each_of_its_projects() -> None:
    row = {
        "id": 5,
        "title": "ci",
        "projects_with_write_access": [{"id": 8}],
        "projects_with_readonly_access": [{"id": 2}],
    }
    assert [(one.resource_id, one.can_push) for one in deploy_keys_of(row)] == [(2, False), (8, True)]
    assert [(one.resource_id, one.can_push) for one in deploy_keys_of({"id": 5})] == [(None, False)]
    assert deploy_key_of({"id": 5, "can_push": True}, 8).can_push


@pytest.mark.parametrize(
    "read",
    [
        lambda row: token_of(row, CredentialKind.PERSONAL_TOKEN),
        lambda row: deploy_token_of(row, None),
        lambda row: ssh_key_of(row, 4),
        lambda row: deploy_key_of(row, 8),
        lambda row: deploy_keys_of(row)[0],
    ],
)
def test_nothing_that_opens_anything_is_taken_and_a_row_without_an_id_is_none(read: Any) -> None:
    found = read({"id": 1, "fingerprint_sha256": "SHA256:ab", **SECRETS})
    assert not [secret for secret in SECRETS.values() if secret in repr(found)]
    with pytest.raises(UnexpectedResponse):
        read({"title": "no id"})


@pytest.mark.parametrize("scopes", [None, "api", [1, None], ["x" * 1_000] * 1_000])
def test_absurd_scopes_are_bounded(scopes: Any) -> None:
    found = token_of({"id": 1, "scopes": scopes}, CredentialKind.PERSONAL_TOKEN).scopes
    assert len(found) <= 50
    assert all(len(one) <= 100 for one in found)
