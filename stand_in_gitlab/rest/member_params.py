"""Reads what a caller wants of a membership, with Grape's words for what cannot be read."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from stand_in_gitlab.company.model import CustomRole, Membership
from stand_in_gitlab.rest.ask import Ask
from stand_in_gitlab.rest.member_checks import role_at
from stand_in_gitlab.rest.refusals import bad_request

TRUE = frozenset({"true", "1", "t", "yes", "on"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a membership is to become. `expires_at` is a day or None; `dated` says whether one was spoken of."""

    level: int
    expires_at: str | None = None
    dated: bool = False
    role: CustomRole | None = None

    def over(self, member: Membership) -> Membership:
        """The membership with it; who speaks of no custom role takes it away (doc/api/group_members.md)."""
        expires_at = self.expires_at if self.dated else member.expires_at
        return replace(member, level=self.level, expires_at=expires_at, role=self.role)


def wanted_member(ask: Ask) -> Wanted:
    """The parameters that additions and updates of members share; 400 if they do not parse."""
    sent = ask.sent
    if sent.get("access_level") in {None, ""}:
        raise bad_request("access_level is missing")
    number = sent.get("member_role_id")
    return Wanted(
        level=ask.integer(str(sent["access_level"]), "access_level"),
        expires_at=wanted_day(ask),
        dated="expires_at" in sent,
        role=role_at(None if number in {None, ""} else ask.integer(str(number), "member_role_id")),
    )


def wanted_day(ask: Ask) -> str | None:
    """`expires_at`, a day also where a time was given; None for an empty one."""
    text = str(ask.sent.get("expires_at") or "")
    if not text:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        raise bad_request("expires_at is invalid") from None


def said(ask: Ask, name: str) -> bool:
    """A flag in the body or the query."""
    return str(ask.sent.get(name) or "").lower() in TRUE


def who(ask: Ask) -> tuple[list[str], list[str]]:
    """The ids and the usernames that are to be added; exactly one of the two is given."""
    ids, names = (str(ask.sent.get(name) or "") for name in ("user_id", "username"))
    if not ids and not names:
        raise bad_request("user_id, username are missing, at least one parameter must be provided")
    if ids and names:
        raise bad_request("user_id, username are mutually exclusive")
    return listed(ask, "user_id"), listed(ask, "username")


def listed(ask: Ask, name: str) -> list[str]:
    """The parts of a parameter that is a list, or a text with commas; each one once."""
    value = ask.sent.get(name) or ask.sent.get(f"{name}[]") or ""
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
