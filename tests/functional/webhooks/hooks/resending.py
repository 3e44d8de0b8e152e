"""Deliveries that are lost, and sent again."""

from typing import Any

from tests.functional.webhooks.hooks_hub import PATH, HooksHub


def with_a_hook() -> HooksHub:
    """A hub that has registered a hook, and whose GitLab gets through with what it sends again."""
    hub = HooksHub()
    hub.register()
    hub.gitlab.delivers = lambda number: arrives(hub, number)
    return hub


def arrives(hub: HooksHub, number: int) -> bool:
    """Let a delivery that is sent again get through."""
    hub.deliveries.keys.add(f"key-{number}")
    return True


def lose(hub: HooksHub, *numbers: int, kind: str = "server_failure") -> None:
    """Let GitLab fail to deliver these."""
    for number in numbers:
        hub.gitlab.fail_delivery(501, number, f"key-{number}", kind)


def resend(hub: HooksHub) -> dict[str, Any]:
    """Ask for everything that was lost to be sent again."""
    status, body = hub("POST", f"{PATH}/{hub.hooks()[0].id}/resend-failed")
    assert status == 200, body
    answer: dict[str, Any] = body
    return answer
