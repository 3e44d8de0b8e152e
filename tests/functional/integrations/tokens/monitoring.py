"""Tokens for the monitor to look at."""

from typing import Any

from gitlab_hub.integrations.tokens.monitor import TokenMonitor
from tests.fakes.gitlab import CANARY, HOST, answer
from tests.functional.integrations.oauth_hub import PATH, OAuthHub

DAY = 86_400
ENDS = 1_755_648_000  # 2025-08-20, when the access token of the fake expires


def plenty() -> float:
    return 900.0


def monitor(hub: OAuthHub, *, rotate: bool = False) -> TokenMonitor:
    return hub.feature.tokens.monitor(rotate=rotate)


def by_token(hub: OAuthHub, token: str = CANARY, **more: Any) -> str:
    body = {"host_url": HOST, "auth_mode": "personal_token", "access_token": token, **more}
    status, answered = hub("POST", f"{PATH}/start", body)
    assert status == 201, answered
    return str(answered["integration"]["id"])


def many(hub: OAuthHub, count: int) -> list[str]:
    """Authorized integrations, each in a group of its own."""
    hub.gitlab.script |= {
        f"/groups/{path}": answer(body=body)
        for n in range(count)
        for path, body in ((f"g{n}", {"id": 100 + n, "full_path": f"g{n}"}), (f"{100 + n}/projects", [{"id": 3}]))
    }
    return sorted(hub.connected(group=f"g{n}") for n in range(count))
