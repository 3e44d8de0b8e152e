from typing import Any

import pytest

from gitlab_hub.access.kinds import kind_of, status_of


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"username": "project_7_bot_6018816a18e515214e0c34c2b33523fc"}, "project_bot"),
        ({"username": "project_7_bot"}, "project_bot"),
        ({"username": "project_7_bot2"}, "project_bot"),
        ({"username": "group_35_bot_ab12"}, "group_bot"),
        ({"username": "group_35_bot_ab12", "bot": True, "user_type": "project_bot"}, "group_bot"),
        ({"username": "service_account_33"}, "service_account"),
        ({"username": "service_account_group_345_6018816a18e5"}, "service_account"),
        ({"username": "deployer", "user_type": "service_account"}, "service_account"),
        ({"username": "deployer", "bot": True}, "service_account"),
        ({"username": "ghost"}, "internal"),
        ({"username": "ghost1"}, "internal"),
        ({"username": "alert-bot", "bot": True}, "internal"),
        ({"username": "support-bot"}, "internal"),
        ({"username": "GitLab-Admin-Bot"}, "internal"),
        ({"username": "imported-jane", "user_type": "placeholder"}, "internal"),
        ({"username": "bot-of-2031", "user_type": "gardening_bot"}, "internal"),
        ({"username": "jane", "user_type": "martian"}, "unknown"),
        ({"username": "jane", "bot": False}, "human"),
        ({"username": "jane", "user_type": "HUMAN"}, "human"),
        ({"username": "jane"}, None),
        ({"username": "project_bot"}, None),
        ({"username": "my_project_7_bot_ab12"}, None),
        ({"username": "project_7_bot_zz"}, None),
        ({"username": "service_account_manager"}, None),
        ({"username": "ghostwriter"}, None),
        ({"username": None}, None),
        ({}, None),
    ],
)
def test_the_kind_is_told_from_name_type_and_flag(row: dict[str, Any], kind: str | None) -> None:
    assert kind_of(row) == kind


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
