from typing import Any

import pytest

from gitlab_hub.gitlab.account_kinds import kind_by_name, kind_of


@pytest.mark.parametrize(
    ("username", "kind"),
    [
        ("project_7_bot_6018816a18e515214e0c34c2b33523fc", "project_bot"),
        ("project_7_bot", "project_bot"),
        ("project_7_bot2", "project_bot"),
        ("group_35_bot_ab12", "group_bot"),
        ("service_account_33", "service_account"),
        ("service_account_group_345_6018816a18e5", "service_account"),
        ("ghost", "internal"),
        ("ghost1", "internal"),
        ("support-bot", "internal"),
        ("GitLab-Admin-Bot", "internal"),
        ("gitlab_security_policy_project_42_bot_0f3b5c7d9e1a2b4c6d8e0f1a2b3c4d5e", "internal"),
        ("gitlab_security_policy_project_x_bot_0f3b", None),
        ("jane", None),
        ("project_bot", None),
        ("my_project_7_bot_ab12", None),
        ("project_7_bot_zz", None),
        ("service_account_manager", None),
        ("ghostwriter", None),
        (None, None),
    ],
)
def test_a_row_that_says_nothing_else_is_judged_by_its_name(username: str | None, kind: str | None) -> None:
    assert kind_of({"username": username}) is None
    assert kind_by_name({"username": username}) == kind


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"username": "group_35_bot_ab12", "bot": True, "user_type": "project_bot"}, "group_bot"),
        ({"username": "project_7_bot", "bot": True}, "project_bot"),
        ({"username": "renamed", "user_type": "project_bot"}, "project_bot"),
        ({"username": "deployer", "user_type": "service_account"}, "service_account"),
        ({"username": "deployer", "bot": True}, "service_account"),
        ({"username": "service_account_33", "bot": True}, "service_account"),
        ({"username": "alert-bot", "bot": True}, "internal"),
        ({"username": "gitlab_security_policy_project_42_bot_0f3b", "bot": True}, "internal"),
        ({"username": "imported-jane", "user_type": "placeholder"}, "internal"),
        ({"username": "bot-of-2031", "user_type": "gardening_bot"}, "internal"),
        ({"username": "ghost", "name": "Ghost User", "bot": False}, "internal"),
        ({"username": "jane_placeholder_user_1", "name": "Placeholder Jane Doe", "bot": False}, "internal"),
        (
            {"username": "gitea_64c4f07e_placeholder_user_12", "name": "Placeholder gitea Source User", "bot": False},
            "internal",
        ),
        ({"username": "import_user_acme_a1B2", "name": "Import User", "bot": False}, "internal"),
        ({"username": "jane", "user_type": "martian"}, "unknown"),
        ({"username": "jane", "bot": False}, "human"),
        ({"username": "jane", "user_type": "HUMAN"}, "human"),
        ({"username": "service_account_cafe", "bot": True, "user_type": "human"}, "human"),
        ({}, None),
    ],
)
def test_gitlab_itself_says_what_an_account_is(row: dict[str, Any], kind: str | None) -> None:
    assert kind_of(row) == kind


@pytest.mark.parametrize(
    "username",
    [
        "service_account_cafe",
        "project_7_bot_ab12",
        "group_1_bot",
        "alert-bot",
        "ghost",
        "gitlabduo2",
        "jane_placeholder_user_1",
        "import_user_acme_a1b2",
    ],
)
def test_a_person_may_be_called_like_a_bot(username: str) -> None:
    assert kind_of({"username": username, "name": "N", "bot": False}) == "human"


USER_TYPES = {
    "human": ("human", False),
    "support_bot": ("internal", True),
    "alert_bot": ("internal", True),
    "visual_review_bot": ("internal", True),
    "service_user": ("service_account", False),
    "ghost": ("internal", False),
    "project_bot": ("project_bot", True),
    "migration_bot": ("internal", True),
    "security_bot": ("internal", True),
    "automation_bot": ("internal", True),
    "security_policy_bot": ("internal", True),
    "admin_bot": ("internal", True),
    "service_account": ("service_account", True),
    "llm_bot": ("internal", True),
    "placeholder": ("internal", False),
    "duo_code_review_bot": ("internal", True),
    "import_user": ("internal", False),
}
"""Every type of GitLab's (app/models/concerns/has_user_type.rb): what it means, and whether the flag `bot` is set."""


@pytest.mark.parametrize("user_type", USER_TYPES)
def test_every_type_of_gitlabs_is_known(user_type: str) -> None:
    kind, bot = USER_TYPES[user_type]
    for username in ("jane", "service_account_cafe", "alert-bot"):
        assert kind_of({"username": username, "name": "N", "user_type": user_type, "bot": bot}) == (
            "internal" if (user_type, username) == ("project_bot", "alert-bot") else kind
        )
