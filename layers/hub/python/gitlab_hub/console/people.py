"""Who somebody from GitLab is in the hub: what GitLab says of them, and what the stack's rules make of it. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gitlab_hub.web.principal import GitLabAccount, Principal, Role, id_from_gitlab

_RULE = re.compile(
    r"(?P<group>[a-z0-9_.-]+(?:/[a-z0-9_.-]+)*)=(?P<role>viewer|developer|admin|owner)(?:@(?P<limit>int_\w+(?:\+int_\w+)*))?",
    re.ASCII,
)
_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Rule:
    """The role of a group's members. `group`: its full path in lower case; `integration_ids` None: no limit."""

    group: str
    role: Role
    integration_ids: frozenset[str] | None = None


def rules_of(text: str) -> tuple[Rule, ...]:
    """Read `acme/platform=owner,acme/shop=developer@int_1+int_2`. Raises ValueError for anything else.

    GitLab tells apart no upper and lower case in paths (`Routable.find_by_full_path`, app/models/concerns/routable.rb).
    """
    return tuple(_rule(part.strip()) for part in text.split(",") if part.strip())


def _rule(text: str) -> Rule:
    # Only the path may be spelled in another case: an id of the hub's may not.
    path, equals, rest = text.partition("=")
    found = _RULE.fullmatch(f"{path.lower()}{equals}{rest}")
    if found is None:
        raise ValueError(
            f"ConsoleRoles has “{text}”, which is not like group/path=role or group/path=role@int_1+int_2."
        )
    limit = found["limit"]
    return Rule(found["group"], Role(found["role"]), None if limit is None else frozenset(limit.split("+")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who has signed in at a GitLab, as a session remembers them.

    `groups`: of those that rules name, the ones that they are a member of. `integration_ids`: the integrations of the
    same GitLab, in which they are this account.
    """

    issuer: str
    account_id: int
    username: str
    groups: tuple[str, ...]
    integration_ids: tuple[str, ...] = ()

    def to_row(self) -> dict[str, Any]:
        """Spell it for a table."""
        return {**asdict(self), "groups": list(self.groups), "integration_ids": list(self.integration_ids)}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Person":
        """Read what `to_row` has spelled."""
        lists = {name: tuple(row[name]) for name in ("groups", "integration_ids")}
        return cls(
            issuer=row["issuer"],
            account_id=int(row["account_id"]),
            username=row["username"],
            groups=lists["groups"],
            integration_ids=lists["integration_ids"],
        )


def person_of(claims: Mapping[str, Any], told: Mapping[str, Any], rules: Iterable[Rule], issuer: str) -> Person | None:
    """Put together what a verified ID token and the userinfo endpoint say; None where they do not fit.

    `sub` is GitLab's id of the user, and `groups`, which only userinfo has, the paths of the groups that they are in,
    directly or through one above (https://docs.gitlab.com/integration/openid_connect_provider/, "Shared information";
    config/initializers/doorkeeper_openid_connect.rb). Userinfo is not signed: it has to be about the same user
    (OpenID Connect Core, 5.3.2).
    """
    sub, groups = claims.get("sub"), told.get("groups", [])
    if not isinstance(sub, str) or not _ID.fullmatch(sub) or told.get("sub") != sub or not isinstance(groups, list):
        return None
    mine = {path.lower() for path in groups if isinstance(path, str)}
    username = told.get("nickname")
    return Person(
        issuer=issuer,
        account_id=int(sub),
        username=username[:_LONGEST_NAME] if isinstance(username, str) and username else f"account {sub}",
        groups=tuple(sorted(mine & {rule.group for rule in rules})),
    )


def principal_of(person: Person, rules: Collection[Rule], issuer: str) -> Principal | None:
    """Say what somebody may do by the rules of this moment; None where no rule is about them.

    Of several rules the highest role counts, with what the rules that give it reach: a lower one never widens it. They
    are who they are in GitLab, so nobody decides there on their own access.
    """
    mine = [rule for rule in rules if rule.group in person.groups]
    if not mine or person.issuer != issuer:
        return None
    role = max((rule.role for rule in mine), key=list(Role).index)
    limits = [rule.integration_ids for rule in mine if rule.role is role]
    reach = frozenset[str]().union(*(limit for limit in limits if limit is not None))
    return Principal(
        id_from_gitlab(person.account_id, person.issuer),
        role,
        None if None in limits else reach,
        frozenset(GitLabAccount(one, person.account_id) for one in person.integration_ids),
    )
