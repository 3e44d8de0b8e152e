"""Integrations and credentials as table rows, and back."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from gitlab_hub.integrations.model import Credential, Features, GitLabUser, Integration
from gitlab_hub.storage.ports import Check, Condition, Item

SCHEMA_VERSION = 1
INTEGRATIONS = "INTEGRATIONS"
CREDENTIAL = "CREDENTIAL#"
LEASE = "LEASE#"
FLOW = "OAUTH"
REVOCATION = "REVOCATION#"
PURGED_PREFIXES = (CREDENTIAL, LEASE, FLOW, REVOCATION)
"""What of an integration's partition goes with it, by the beginning of the sort key; runs are the sync's to remove."""

# What a row of the list stands for. Only a live one is an integration; the others are there so that nothing that was
# begun can be forgotten: a secret that is about to be created, data that is about to be removed.
LIVE, CONNECTING, DELETING = "live", "connecting", "deleting"

TOMBSTONE_SECONDS = 30 * 86_400
REMEMBERED_SECONDS = 90 * 86_400
"""How long a deleted credential can still be looked up."""


def partition(integration_id: str) -> str:
    """Where everything that belongs to one integration lies."""
    return f"INTEGRATION#{integration_id}"


def integration_item(integration: Integration) -> Item:
    """Spell a live integration."""
    values = asdict(integration)
    lists = {"scopes": list(integration.scopes), "wanted_scopes": list(integration.wanted_scopes)}
    return _keyed(INTEGRATIONS, values.pop("id")) | values | lists | {"lifecycle": LIVE}


def tombstone_item(integration_id: str, lifecycle: str, *, version: int, at: int) -> Item:
    """Spell a row that holds a place and no data.

    `expires_at` is the table's TTL attribute: a marker goes away by itself long after its work is done.
    """
    return _keyed(INTEGRATIONS, integration_id) | {
        "lifecycle": lifecycle,
        "version": version,
        "updated_at": at,
        "expires_at": at + TOMBSTONE_SECONDS,
    }


def is_live(integration_id: str) -> Check:
    """What a transaction asks for that must not bring back anything of a removed integration."""
    return Check((INTEGRATIONS, integration_id), Condition(equals={"lifecycle": LIVE}))


def credential_item(credential: Credential, host_url: str) -> Item:
    """Spell a credential of a GitLab; the token itself is never in a table."""
    values = asdict(credential)
    key = _keyed(partition(values.pop("integration_id")), CREDENTIAL + values.pop("id"))
    user = user_partition(host_url, credential.account.id)
    item = key | values | {"scopes": list(credential.scopes), "user_pk": user}
    if credential.deleted_at is not None:
        item["expires_at"] = credential.deleted_at + REMEMBERED_SECONDS
    return item


def user_partition(host_url: str, user_id: int) -> str:
    """Where the credentials of one GitLab user are listed, whichever integration they belong to."""
    user = f"{host_url}\n{user_id}"
    return f"IDENTITY#USER#{hashlib.sha256(user.encode()).hexdigest()}"


def user_item(credential: Credential, host_url: str) -> Item:
    """Spell that a credential belongs to a GitLab user."""
    return _keyed(user_partition(host_url, credential.account.id), user_key(credential.integration_id, credential.id))


def user_key(integration_id: str, credential_id: str) -> str:
    """The sort key of a credential in its user's list."""
    return f"{integration_id}#{credential_id}"


def claim_item(identity: str, integration_id: str) -> Item:
    """Spell the claim of an integration on what it connects."""
    return _keyed(f"IDENTITY#{identity}", "CLAIM") | {"integration_id": integration_id}


def integration_of(item: Mapping[str, Any]) -> Integration:
    """Read a live integration; attributes of a later release are left alone."""
    known = _known(Integration, item)
    features = Features(**_known(Features, item["features"]))
    lists = {"scopes": tuple(item["scopes"]), "wanted_scopes": tuple(item.get("wanted_scopes") or ())}
    return Integration(**(known | lists | {"id": item["sk"], "features": features, "account": _account(item)}))


def credential_of(item: Mapping[str, Any]) -> Credential:
    """Read a credential."""
    rest = {
        "id": str(item["sk"]).removeprefix(CREDENTIAL),
        "integration_id": str(item["pk"]).partition("#")[2],
        "account": _account(item),
        "scopes": tuple(item["scopes"]),
    }
    return Credential(**(_known(Credential, item) | rest))


def _keyed(pk: str, sk: str) -> Item:
    return {"pk": pk, "sk": sk, "schema_version": SCHEMA_VERSION}


def _account(item: Mapping[str, Any]) -> GitLabUser:
    return GitLabUser(**_known(GitLabUser, item["account"]))


def _known(kind: type, item: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: item[field.name] for field in fields(kind) if field.name in item}
