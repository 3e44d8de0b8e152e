import pytest

from gitlab_hub.access.model import status_of


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("active", "active"),
        ("blocked", "disabled"),
        ("deactivated", "disabled"),
        ("banned", "disabled"),
        ("ldap_blocked", "disabled"),
        ("blocked_pending_approval", "pending"),
        ("awaiting_a_new_word", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_state_is_understood_or_unknown(state: str | None, status: str) -> None:
    assert status_of(state) == status
