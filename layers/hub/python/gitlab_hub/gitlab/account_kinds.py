"""Who stands behind an account: the one rule for `GET /user`, for rows of `/users` and for rows of members.

GitLab's own word comes first: `user_type`, then the flag `bot` (lib/api/entities/user.rb: of every full user row). A
person may be called like a bot. Rows of members have neither, so there the names that GitLab gives away itself must do.
Sources of the types and of what counts as `bot`: app/models/concerns/has_user_type.rb; of the names:
docs.gitlab.com/user/project/settings/project_access_tokens (bot users) and /development/internal_users.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class AccountKind(StrEnum):
    """Who stands behind an account."""

    HUMAN = "human"
    SERVICE_ACCOUNT = "service_account"
    PROJECT_BOT = "project_bot"
    GROUP_BOT = "group_bot"
    INTERNAL = "internal"
    UNKNOWN = "unknown"


# Older releases counted the bots of a project (`project_7_bot2`), newer ones add random hex digits.
_TOKEN_BOT = re.compile(r"(?P<owner>project|group)_\d+_bot(?:\d*|_[0-9a-f]+)", re.ASCII)
_SERVICE_ACCOUNT = re.compile(r"service_account_(?:(?:group|project)_\d+_)?[0-9a-f]+", re.ASCII)
# A second GitLab user of a taken name gets digits: `ghost1`, `alert-bot2`.
_GHOST = re.compile(r"ghost\d*", re.ASCII)
_INTERNAL_BOT = re.compile(
    r"(?:(?:gitlab-)?(?:alert|support|visual-review|migration|security|automation|admin|llm)-bot"
    # Of each project with a policy, and a guest there: Security::Orchestration::CreateBotService.
    r"|gitlab_security_policy_(?:project|group)_\d+_bot(?:_[0-9a-f]+)?"
    r"|suggested-reviewers-bot|security-policy-bot(?:-[0-9a-f]+)?|gitlabduo|duo-code-review-bot)\d*",
    re.ASCII,
)
# Neither bots nor people, and GitLab's own by both of their names: the ghost that deleted people's work belongs to, and
# who stands in for the authors of what was imported (placeholder_user_creator.rb, import_user_creator.rb in
# lib/gitlab/import). An administrator's list of users has all of them (app/finders/users_finder.rb).
_NO_PERSON = tuple(
    (re.compile(username, re.ASCII), re.compile(name))
    for username, name in (
        (_GHOST.pattern, "ghost user"),
        (r".+_placeholder_user_\d+", "placeholder .+"),
        (r"import_user_.+", "import user"),
    )
)
_KINDS_OF_TYPE = {
    "human": AccountKind.HUMAN,
    "service_account": AccountKind.SERVICE_ACCOUNT,
    "service_user": AccountKind.SERVICE_ACCOUNT,
    **dict.fromkeys(("ghost", "placeholder", "import_user"), AccountKind.INTERNAL),
}
_TOKEN_BOTS = {"project": AccountKind.PROJECT_BOT, "group": AccountKind.GROUP_BOT}


def kind_of(row: Mapping[str, Any]) -> AccountKind | None:
    """What GitLab says the account is; None = the row does not say."""
    return _of_type(row) or _of_flag(row)


def kind_by_name(row: Mapping[str, Any]) -> AccountKind | None:
    """What the username of a row that says no more makes likely; None = nothing."""
    username = _username(row)
    if _GHOST.fullmatch(username):
        return AccountKind.INTERNAL
    return AccountKind.SERVICE_ACCOUNT if _SERVICE_ACCOUNT.fullmatch(username) else _bot_by_name(username)


def _of_type(row: Mapping[str, Any]) -> AccountKind | None:
    user_type = row.get("user_type")
    if not isinstance(user_type, str) or not user_type:
        return None
    name = user_type.lower()
    if name in _KINDS_OF_TYPE:
        return _KINDS_OF_TYPE[name]
    if name == "project_bot":
        # The type is also that of groups' bots; their name tells.
        return _bot_by_name(_username(row)) or AccountKind.PROJECT_BOT
    return AccountKind.INTERNAL if name.endswith("_bot") else AccountKind.UNKNOWN


def _of_flag(row: Mapping[str, Any]) -> AccountKind | None:
    bot = row.get("bot")
    if not isinstance(bot, bool):
        return None
    if bot:
        # Service accounts count as bots and may be called anything, all other bots are named by GitLab.
        return _bot_by_name(_username(row)) or AccountKind.SERVICE_ACCOUNT
    names = _username(row), str(row.get("name")).lower()
    is_no_person = any(one.fullmatch(names[0]) and other.fullmatch(names[1]) for one, other in _NO_PERSON)
    return AccountKind.INTERNAL if is_no_person else AccountKind.HUMAN


def _bot_by_name(username: str) -> AccountKind | None:
    if bot := _TOKEN_BOT.fullmatch(username):
        return _TOKEN_BOTS[bot["owner"]]
    return AccountKind.INTERNAL if _INTERNAL_BOT.fullmatch(username) else None


def _username(row: Mapping[str, Any]) -> str:
    return str(row.get("username") or "").lower()
