"""Hands out tokens and keys as companies have them: good ones, forgotten ones, and those of people who left.

They come on top of the well-known tokens (`tokens.py`), and nobody knows their texts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

from stand_in_gitlab.clock import DAY, day
from stand_in_gitlab.company.credential_model import DeployKey, DeployToken, SshKey
from stand_in_gitlab.company.model import Token, TokenKind, User
from stand_in_gitlab.company.people import source_of_bot
from stand_in_gitlab.company.prng import prng, token_hex
from stand_in_gitlab.company.state import Company


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """What is particular about a token; days count from the company's epoch, backwards for what has been."""

    name: str
    scopes: tuple[str, ...] = ("read_api",)
    age: int = 60
    left: int | None = 200
    used: int | None = 1
    revoked: bool = False


TRAITS = (
    Trait(name="editor"),
    Trait(name="old script", scopes=("api",), age=500, left=None, used=3),
    Trait(name="release", scopes=("api", "write_repository"), left=10),
    Trait(name="last year's job", age=380, left=-15, used=20),
    Trait(name="laptop", revoked=True, age=200),
    Trait(name="report", age=150, used=120),
    Trait(name="tried out", left=90, used=None),
)
PEOPLE_WITH_TOKENS, PEOPLE_WITH_KEYS = 0.4, 0.5
SPECIAL = 3


def add_credentials(company: Company) -> None:
    """Give people, bots, groups and projects what opens things."""
    people = [user for user in company.users.values() if not user.bot]
    traits = cycle(TRAITS)
    for user in people:
        chance = prng(company.seed, "credentials", user.id)
        # Those who may not sign in any more have kept theirs, as it happens.
        if chance.hits(PEOPLE_WITH_TOKENS) or user.state != "active" or user.id <= len(TRAITS):
            issue(company, user, next(traits))
        if chance.hits(PEOPLE_WITH_KEYS):
            _add_ssh_key(company, user, chance.choice([None, None, 20, 400, -5]), chance.choice([None, 2, 200]))
    for user in people[1:SPECIAL]:
        issue(company, user, Trait(name="support", scopes=("api",), left=5), impersonation=True)
    for bot, trait in zip(_bots(company), cycle(TRAITS), strict=False):
        issue(company, bot, trait)
    _let_a_maker_leave(company)
    _add_deploy_tokens(company)
    _add_deploy_keys(company)


def issue(company: Company, user: User, trait: Trait, *, impersonation: bool = False) -> Token:
    """Make an access token of whatever kind its user is."""
    number, source = company.next_id("token"), source_of_bot(user)
    kind: TokenKind = source[0] if source else "service_account" if user.bot else "personal"
    level = company.members[source][user.id].level if source and user.id in company.members[source] else None
    token = Token(
        id=number,
        value=f"glpat-standin-{token_hex(company.seed, 'token', number)}",
        name=f"{trait.name} {number}",
        user_id=user.id,
        scopes=trait.scopes,
        created=round(company.epoch - trait.age * DAY, 6),
        kind=kind,
        level=level,
        expires_at=None if trait.left is None else day(company.epoch + trait.left * DAY),
        revoked=trait.revoked,
        family=number,
        impersonation=impersonation,
        last_used=None if trait.used is None else round(company.epoch - trait.used * DAY, 6),
    )
    company.tokens[token.value] = token
    return token


def _bots(company: Company) -> Iterator[User]:
    """Bots of groups and projects that still are members there, and service accounts."""
    for user in list(company.users.values()):
        source = source_of_bot(user)
        if user.bot and (source is None or user.id in company.members[source]):
            yield user


def _let_a_maker_leave(company: Company) -> None:
    """One bot was made by somebody who may not sign in any more."""
    gone = next((user.id for user in company.users.values() if user.state != "active" and not user.bot), None)
    bots = [(source, user.id) for user in company.users.values() if (source := source_of_bot(user))]
    for source, user_id in bots[-1:]:
        if gone is not None and user_id in company.members[source]:
            company.members[source][user_id].created_by = gone


def _add_ssh_key(company: Company, user: User, left: int | None, used: int | None) -> None:
    number = company.next_id("key")
    company.ssh_keys[number] = SshKey(
        id=number,
        title=f"{user.username}@laptop",
        user_id=user.id,
        created=max(user.created, round(company.epoch - 420 * DAY, 6)),
        expires=None if left is None else round(company.epoch + left * DAY, 6),
        last_used=None if used is None else round(company.epoch - used * DAY, 6),
    )


def _add_deploy_tokens(company: Company) -> None:
    traits = cycle(TRAITS)
    groups = [("group", number) for number in company.groups][::4]
    projects = [("project", number) for number in company.projects][::3]
    for source, trait in zip([*groups, *projects], traits, strict=False):
        number = company.next_id("deploy token")
        company.deploy_tokens[number] = DeployToken(
            id=number,
            name=f"{trait.name} {number}",
            source=("group" if source[0] == "group" else "project", source[1]),
            scopes=("read_repository", "read_registry"),
            expires=None if trait.left is None else round(company.epoch + trait.left * DAY, 6),
            revoked=trait.revoked,
        )


def _add_deploy_keys(company: Company) -> None:
    """One in four projects has a key of its own, which pushes as often as not; every other key opens two projects."""
    projects = list(company.projects)
    for place in range(0, len(projects), 4):
        number = company.next_id("key")
        opened = projects[place : place + 1 + number % 2]
        company.deploy_keys[number] = DeployKey(
            id=number,
            title=f"deploy {number}",
            created=round(company.epoch - (30 + 100 * (number % 5)) * DAY, 6),
            expires=round(company.epoch + 15 * DAY, 6) if number % 3 == 0 else None,
            last_used=round(company.epoch - 100 * DAY, 6) if number % 4 == 0 else None,
            projects={project_id: project_id == opened[0] and number % 2 == 0 for project_id in opened},
        )
    number = company.next_id("key")
    company.deploy_keys[number] = DeployKey(
        id=number, title="for everybody", created=round(company.epoch - 700 * DAY, 6)
    )
