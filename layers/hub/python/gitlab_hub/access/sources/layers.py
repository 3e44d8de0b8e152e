"""One account as several sources tell of it: the rule for which of them counts, and what lies beneath. Pure.

`/users` and the members' rows are the ground: they are read in every run. What GitLab's other lists tell is laid over
it, and the account remembers the ground beneath (`beneath`), so that it shows again when a list tells nothing any more.
The order never depends on which list was read first:

- names, state and flags: the ground where it tells, then the lists in the order of `ACCOUNT_LISTS` and groups;
- addresses and identities: all, each once, the ground's first;
- activity and sign-ins: the latest, as no list takes one back. What members take seats with (`billable_members`) is
  their present sign-in; it stands for the last one where no list tells that;
- the kind: a list's own word (a list of service accounts, the flag `bot`) before what the ground takes from names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gitlab_hub.access.model import Account, AccountStatus, Email, Identity, status_of
from gitlab_hub.gitlab.account_kinds import AccountKind, kind_by_name
from gitlab_hub.gitlab.account_lists import ACCOUNT_LISTS

Told = Mapping[str, Account]
"""What lists tell of one account, by the place of each list (`place_of`)."""

_FIRST = ("username", "name", "state", "web_url", "created_at", "external", "two_factor_enabled")
_LATEST = ("last_activity_on", "last_sign_in_at", "current_sign_in_at")
_RANK = {one.name: number for number, one in enumerate(ACCOUNT_LISTS)}
_EMAILS = {source: number for number, source in enumerate(("account", "public", "commit"))}


def place_of(name: str, group_id: int | None) -> str:
    """Name a list of a group, or of the instance where there is no group."""
    return name if group_id is None else f"{name}#{group_id:012d}"


def list_at(place: str) -> tuple[str, int | None]:
    """The name of the list and its group."""
    name, _, group = place.partition("#")
    return name, int(group) if group else None


def ground_of(account: Account) -> Account:
    """The account as `/users` and members' rows alone tell it."""
    return replace(account, **account.beneath, beneath={}, told_by=[], sources={})


def carried(stored: Account, ground: Account) -> Account:
    """A stored account over new ground, until the lists are laid over it again: what lies on other ground stays."""
    kept: dict[str, Any] = {}
    beneath: dict[str, Any] = {}
    for name, before in stored.beneath.items():
        new, value = getattr(ground, name), getattr(stored, name)
        if new == before:
            kept[name], beneath[name] = value, before
        elif isinstance(value, list):
            kept[name], beneath[name] = [*new, *(one for one in value if one not in before and one not in new)], new
    sources = {name: source for name, source in stored.sources.items() if name in kept}
    return replace(ground, **kept, beneath=beneath, told_by=stored.told_by, sources=sources)


def layered(ground: Account, told: Told, *, is_waiting: bool = False) -> Account:
    """Lay what lists tell over the ground. `is_waiting`: no membership of the account that is stored counts yet."""
    ranked = sorted(told.items(), key=lambda one: (_RANK.get(list_at(one[0])[0], len(_RANK)), one[0]))
    over: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for name in _FIRST:
        _first(name, ground, ranked, over, sources)
    for name in _LATEST:
        _latest(name, ground, ranked, over, sources)
    if (over.get("last_sign_in_at") or ground.last_sign_in_at) is None and "current_sign_in_at" in over:
        over["last_sign_in_at"] = over["current_sign_in_at"]
        sources["last_sign_in_at"] = sources["current_sign_in_at"]
    if "last_activity_on" in sources:
        over["activity_source"] = sources["last_activity_on"]
    elif ground.activity_source is None and (teller := _tells_activity(ranked)) is not None:
        over["activity_source"] = teller
    over["kind"] = _kind(ground, over.get("username") or ground.username, ranked, sources)
    state = over.get("state", ground.state)
    over["status"] = status_of(state) if state is not None else ground.status
    waits = is_waiting and any(account.status == AccountStatus.PENDING for _, account in ranked)
    if waits and over["status"] in {AccountStatus.ACTIVE, AccountStatus.UNKNOWN}:
        over["status"], sources["status"] = AccountStatus.PENDING, "pending_members"
    over["emails"] = _emails([ground, *(account for _, account in ranked)])
    over["identities"] = _identities([ground, *(account for _, account in ranked)])
    changed = {name: value for name, value in over.items() if value != getattr(ground, name)}
    beneath = {name: getattr(ground, name) for name in sorted(changed)}
    beneath = {name: str(value) if name in {"kind", "status"} else value for name, value in beneath.items()}
    shown = {name: source for name, source in sorted(sources.items()) if name in changed}
    return replace(
        ground, **changed, beneath=beneath, told_by=[place for place, _ in sorted(told.items())], sources=shown
    )


def waits(told: Told) -> bool:
    """Whether a list has the account among those who wait for a seat or an approval."""
    return any(account.status == AccountStatus.PENDING for account in told.values())


def is_named(account: Account) -> bool:
    """Whether it is known who this is: some lists tell an id and nothing else."""
    return bool(account.username)


Ranked = Sequence[tuple[str, Account]]


def _first(name: str, ground: Account, ranked: Ranked, over: dict[str, Any], sources: dict[str, str]) -> None:
    if getattr(ground, name) in {None, ""}:
        for place, account in ranked:
            if (value := getattr(account, name)) not in {None, ""}:
                over[name], sources[name] = value, list_at(place)[0]
                return


def _latest(name: str, ground: Account, ranked: Ranked, over: dict[str, Any], sources: dict[str, str]) -> None:
    best = getattr(ground, name)
    for place, account in ranked:
        value = getattr(account, name)
        if value is not None and (best is None or value > best):
            best = over[name] = value
            sources[name] = list_at(place)[0]


def _tells_activity(ranked: Ranked) -> str | None:
    return next((list_at(place)[0] for place, account in ranked if account.activity_source is not None), None)


def _kind(ground: Account, username: str, ranked: Ranked, sources: dict[str, str]) -> AccountKind:
    told = [(place, account.kind) for place, account in ranked if account.kind != AccountKind.UNKNOWN]
    # Being on a list of service accounts is what GitLab's type says; `bot` is true of every sort of machine.
    told.sort(key=lambda one: not list_at(one[0])[0].endswith("service_accounts"))
    if told:
        sources["kind"] = list_at(told[0][0])[0]
        return AccountKind(told[0][1])
    if ground.kind != AccountKind.UNKNOWN or not username:
        return AccountKind(ground.kind)
    return kind_by_name({"username": username}) or AccountKind.HUMAN


def _emails(accounts: Sequence[Account]) -> list[Email]:
    told: dict[str, list[str]] = {}
    for account in accounts:
        for email in account.emails:
            values = told.setdefault(email["source"], [])
            # A profile has one address of each of these sorts; the first to tell it counts.
            if email["value"] not in values and not (values and email["source"] in _EMAILS):
                values.append(email["value"])
    emails: dict[str, Email] = {}
    for source in sorted(told, key=lambda one: (_EMAILS.get(one, len(_EMAILS) + _RANK.get(one, len(_RANK))), one)):
        for value in told[source]:
            emails.setdefault(value, Email(value=value, source=source, primary=source == "account"))
    return list(emails.values())


def _identities(accounts: Sequence[Account]) -> list[Identity]:
    unique = {(one["provider"], one["extern_uid"]): one for account in accounts for one in account.identities}
    return [unique[key] for key in sorted(unique)]
