"""Who works for the company: people in every state, and machines with accounts."""

import re

from stand_in_gitlab.clock import DAY, day
from stand_in_gitlab.company.model import SourceKind, User
from stand_in_gitlab.company.names import FIRST, LAST
from stand_in_gitlab.company.prng import prng, token_hex
from stand_in_gitlab.company.state import Company

DOMAIN = "acme.example"
STATES = ["active", "blocked", "deactivated", "banned", "blocked_pending_approval"]
WEIGHTS = [90, 5, 3, 1, 1]
BOT = re.compile(r"(?P<kind>group|project)_(?P<id>\d+)_bot_[0-9a-f]+", re.ASCII)


def hire(company: Company, humans: int) -> None:
    """Root first, as in every GitLab, then the others."""
    root = _human(company, company.next_id("user"))
    root.username, root.name, root.email = "root", "Administrator", f"root@{DOMAIN}"
    root.is_admin, root.state, root.external, root.two_factor = True, "active", False, True
    root.identities = ()
    for _ in range(humans - 1):
        _human(company, company.next_id("user"))


def _human(company: Company, user_id: int) -> User:
    chance = prng(company.seed, "user", user_id)
    first, last = chance.choice(FIRST), chance.choice(LAST)
    username = f"{first}.{last}{user_id}".lower()
    seen = company.epoch - chance.expovariate(1 / 20) * DAY
    never = chance.hits(0.05)
    created = round(company.epoch - (200 + chance.random() * 2_000) * DAY, 6)
    seen = max(seen, created)
    user = User(
        id=user_id,
        username=username,
        name=f"{first} {last}",
        email=f"{username}@{DOMAIN}",
        created=created,
        state=chance.choices(STATES, WEIGHTS)[0],
        is_admin=chance.hits(0.01),
        external=chance.hits(0.06),
        two_factor=chance.hits(0.7),
        last_sign_in=None if never else round(seen, 6),
        last_activity_on=None if never else day(seen),
        identities=(_identity(user_id, username),) if chance.hits(0.6) else (),
    )
    company.users[user_id] = user
    return user


def _identity(user_id: int, username: str) -> tuple[str, str]:
    """Every third comes from the directory, the others by SAML."""
    return ("ldapmain", f"uid={username},ou=people,dc=acme,dc=example") if user_id % 3 == 0 else ("saml", username)


def bot_of(company: Company, kind: str, source_id: int) -> User:
    """The account behind a project or group access token."""
    suffix = token_hex(company.seed, "bot", kind, source_id)
    return machine(company, f"{kind}_{source_id}_bot_{suffix}", f"{kind} token {source_id}")


def source_of_bot(user: User) -> tuple[SourceKind, int] | None:
    """The group or project that a token's bot belongs to; its name tells."""
    found = BOT.fullmatch(user.username)
    if not user.bot or found is None:
        return None
    return ("group" if found["kind"] == "group" else "project"), int(found["id"])


def group_of_service_account(user: User) -> int | None:
    """The group that a service account belongs to."""
    return user.provisioned_by if user.service_account else None


def service_account(company: Company, group_id: int, name: str) -> User:
    """A machine user that a group owns; GitLab counts those among bots (app/models/concerns/has_user_type.rb)."""
    suffix = token_hex(company.seed, "service", group_id, name)
    user = machine(company, f"service_account_group_{group_id}_{suffix}", name)
    user.service_account, user.provisioned_by = True, group_id
    return user


def machine(company: Company, username: str, name: str, *, bot: bool = True) -> User:
    """An account nobody signs in with."""
    user_id = company.next_id("user")
    user = User(
        id=user_id,
        username=username,
        name=name,
        email=f"{username}@noreply.{DOMAIN}",
        created=round(company.epoch - 90 * DAY, 6),
        bot=bot,
        last_activity_on=day(company.epoch - DAY),
    )
    company.users[user_id] = user
    return user
