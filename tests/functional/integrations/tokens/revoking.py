"""What the tests of revocations do, and look at."""

from typing import Any

from tests.fakes.gitlab import answer
from tests.functional.integrations.oauth_hub import OAuthHub

REVOKE, TOKEN, KIND = "/oauth/revoke", "/oauth/token", "credential_not_revoked"
DAY = 86_400
FOR_EVER = 10_000


def tick(hub: OAuthHub, *, after: float = 0) -> None:
    hub.now += after
    hub.feature.tokens.monitor(rotate=False).tick(lambda: 900.0)


def sweep(hub: OAuthHub, *, after: float) -> int:
    hub.now += after
    return hub.feature.lifecycle.cleanup_orphans()


def refuse_only(hub: OAuthHub, refresh_token: str) -> None:
    step: Any = hub.gitlab.script[REVOKE]
    hub.gitlab.script[REVOKE] = lambda sent: answer(503) if refresh_token in sent.content.decode() else step(sent)


def delete(hub: OAuthHub, one: str) -> int:
    return hub("POST", f"/api/connections/{one}/credentials.delete", {"id": hub.loaded(one).credential.id})[0]


def replace(hub: OAuthHub, one: str) -> int:
    return hub.finish(one)[0]


def noted(hub: OAuthHub) -> list[Any]:
    return [item for item in hub.stored_rows.dump() if str(item["sk"]).startswith("REVOCATION#")]


def incidents(hub: OAuthHub, one: str) -> list[Any]:
    return [incident for incident in hub.feature.incidents.of(one) if incident.kind == KIND]


def lives(hub: OAuthHub) -> list[str]:
    return [token_pair.refresh for token_pair in hub.gitlab.living]


def stored(hub: OAuthHub, one: str) -> list[str | None]:
    live = [each for each in hub.feature.store.holding(one).credentials if each.live]
    return [hub.loaded(one).tokens.refresh_token] if live else []
