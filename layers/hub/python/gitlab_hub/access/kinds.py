"""Who stands behind an account, told from what GitLab's rows say of it.

https://docs.gitlab.com/user/project/settings/project_access_tokens/#bot-users-for-projects
https://docs.gitlab.com/development/internal_users/
"""

import re
from collections.abc import Mapping
from typing import Any

from gitlab_hub.access.model import AccountKind, AccountStatus

# Older releases counted the bots of a project (`project_7_bot2`), newer ones add random hex digits.
_TOKEN_BOT = re.compile(r"(?P<owner>project|group)_\d+_bot(?:\d*|_[0-9a-f]+)", re.ASCII)
_SERVICE_ACCOUNT = re.compile(r"service_account_(?:(?:group|project)_\d+_)?[0-9a-f]+", re.ASCII)
# A second GitLab user of a taken name gets digits: `ghost1`, `alert-bot2`.
_INTERNAL = re.compile(
    r"(?:ghost|(?:gitlab-)?(?:alert|support|visual-review|migration|security|automation|admin|llm)-bot"
    r"|suggested-reviewers-bot|security-policy-bot(?:-[0-9a-f]+)?|gitlabduo|duo-code-review-bot)\d*",
    re.ASCII,
)
_KINDS_OF_TYPE = {
    "human": AccountKind.HUMAN,
    "service_account": AccountKind.SERVICE_ACCOUNT,
    "service_user": AccountKind.SERVICE_ACCOUNT,
    **dict.fromkeys(("ghost", "placeholder", "import_user"), AccountKind.INTERNAL),
}
_TOKEN_BOTS = {"project": AccountKind.PROJECT_BOT, "group": AccountKind.GROUP_BOT}

_STATUSES = {
    "active": AccountStatus.ACTIVE,
    **dict.fromkeys(("blocked", "deactivated", "banned", "ldap_blocked"), AccountStatus.DISABLED),
    "blocked_pending_approval": AccountStatus.PENDING,
}


def status_of(state: str | None) -> AccountStatus:
    """Say whether an account can be used; a state nobody knows yet is not guessed at."""
    return _STATUSES.get(state or "", AccountStatus.UNKNOWN)


def kind_of(row: Mapping[str, Any]) -> AccountKind | None:
    """Tell the kind of the account a row is about; None = the row does not say.

    Names that GitLab gives away itself come first: member rows carry no other sign of a bot.
    """
    username = str(row.get("username") or "").lower()
    if bot := _TOKEN_BOT.fullmatch(username):
        return _TOKEN_BOTS[bot["owner"]]
    if _SERVICE_ACCOUNT.fullmatch(username):
        return AccountKind.SERVICE_ACCOUNT
    if _INTERNAL.fullmatch(username):
        return AccountKind.INTERNAL
    return _of_type(row.get("user_type")) or _of_flag(row.get("bot"))


def _of_type(user_type: object) -> AccountKind | None:
    if not isinstance(user_type, str) or not user_type:
        return None
    name = user_type.lower()
    if name in _KINDS_OF_TYPE:
        return _KINDS_OF_TYPE[name]
    if name == "project_bot":
        return AccountKind.PROJECT_BOT
    return AccountKind.INTERNAL if name.endswith("_bot") else AccountKind.UNKNOWN


def _of_flag(bot: object) -> AccountKind | None:
    """`bot` is true of service accounts too, and of the bots caught by name above."""
    if not isinstance(bot, bool):
        return None
    return AccountKind.SERVICE_ACCOUNT if bot else AccountKind.HUMAN
