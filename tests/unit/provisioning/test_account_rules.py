"""What a change of an account comes to, by what GitLab says."""

from dataclasses import replace
from typing import Any

import pytest

from gitlab_hub.gitlab.account_kinds import AccountKind
from gitlab_hub.provisioning.fact_rows import person_of
from gitlab_hub.provisioning.facts import Hand, Person
from gitlab_hub.provisioning.operation import Kind, Operation, in_order
from gitlab_hub.provisioning.operations import new_accounts
from gitlab_hub.provisioning.operations.account_rules import AccountFacts, decide
from gitlab_hub.provisioning.operations.base import Decision
from gitlab_hub.provisioning.operations.new_accounts import NewAccountFacts
from gitlab_hub.provisioning.refusals import ADVICE, ON_ACCOUNT, Code
from gitlab_hub.provisioning.sentences import account_change
from gitlab_hub.provisioning.states import AccountState

HAND = Hand(account_id=1, is_admin=True, scopes=("api",), today="2026-09-21")
ANA = Person(id=4, username="ana", name="Ana Lima", state="active", kind=AccountKind.HUMAN, is_admin=False)
EVE = Operation(kind=Kind.CREATE_ACCOUNT, email="eve@example.com", username="eve", name="Eve")


def decided(op: Kind, state: str = "active", hand: Hand = HAND, **more: Any) -> Decision:
    left_alone = more.pop("left_alone", ())
    person = replace(ANA, state=state, **more)
    return decide(Operation(kind=op, account_id=4), AccountFacts(person=person, left_alone=left_alone), hand)


@pytest.mark.parametrize(
    ("kind", "state", "call", "refusals"),
    [
        (Kind.BLOCK, "active", "POST /users/4/block", ()),
        (Kind.BLOCK, "deactivated", "POST /users/4/block", ()),
        (Kind.BLOCK, "blocked", None, ()),
        (Kind.BLOCK, "banned", "POST /users/4/block", (Code.GRANT_CHANGED,)),
        (Kind.BLOCK, "ldap_blocked", "POST /users/4/block", (Code.LDAP_MANAGED,)),
        (Kind.BLOCK, "blocked_pending_approval", "POST /users/4/block", (Code.QUEUED_FOR_APPROVAL,)),
        (Kind.UNBLOCK, "blocked", "POST /users/4/unblock", ()),
        (Kind.UNBLOCK, "active", None, ()),
        (Kind.UNBLOCK, "deactivated", "POST /users/4/unblock", (Code.GRANT_CHANGED,)),
        (Kind.UNBLOCK, "banned", "POST /users/4/unblock", (Code.GRANT_CHANGED,)),
        (Kind.UNBLOCK, "blocked_pending_approval", "POST /users/4/unblock", (Code.QUEUED_FOR_APPROVAL,)),
        (Kind.DEACTIVATE, "active", "POST /users/4/deactivate", ()),
        (Kind.DEACTIVATE, "blocked", "POST /users/4/deactivate", (Code.GRANT_CHANGED,)),
        (Kind.ACTIVATE, "deactivated", "POST /users/4/activate", ()),
        (Kind.ACTIVATE, "blocked", "POST /users/4/activate", (Code.GRANT_CHANGED,)),
        (Kind.ACTIVATE, "ldap_blocked", "POST /users/4/activate", (Code.LDAP_MANAGED,)),
        (Kind.DELETE_ACCOUNT, "active", "DELETE /users/4", ()),
        (Kind.DELETE_ACCOUNT, "ldap_blocked", "DELETE /users/4", ()),
    ],
)
def test_each_state_leads_where_gitlab_lets_it(
    kind: Kind, state: str, call: str | None, refusals: tuple[Code, ...]
) -> None:
    found = decided(kind, state)
    shown = [f"{one.method} {one.shown}" for one in found.calls]
    assert (shown, found.refusals) == ([] if call is None else [call], refusals)
    assert found.before == AccountState(state=state)


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"kind": AccountKind.SERVICE_ACCOUNT}, Code.BOT_MEMBER),
        ({"kind": AccountKind.PROJECT_BOT}, Code.BOT_MEMBER),
        ({"kind": AccountKind.INTERNAL}, Code.BOT_MEMBER),
        ({"is_admin": None}, Code.TOKEN_SCOPE),
        ({"hand": replace(HAND, is_admin=False)}, Code.TOKEN_SCOPE),
        ({"hand": replace(HAND, scopes=("read_api",))}, Code.TOKEN_SCOPE),
        ({"hand": replace(HAND, on_gitlab_com=True)}, Code.NOT_SUPPORTED_HERE),
        ({"hand": replace(HAND, account_id=4)}, Code.SELF_TARGET),
        ({"hand": replace(HAND, other_users=frozenset({4}))}, Code.SELF_TARGET),
        ({"left_alone": ("acme",)}, Code.LAST_OWNER),
    ],
)
@pytest.mark.parametrize("op", [Kind.BLOCK, Kind.DELETE_ACCOUNT])
def test_what_stands_against_closing_an_account(op: Kind, more: dict[str, Any], refusal: Code) -> None:
    assert decided(op, **more).refusals == (refusal,)


@pytest.mark.parametrize(
    ("seen_on", "refusals"), [("2026-06-23", ()), ("2026-06-24", (Code.GRANT_CHANGED,)), (None, ())]
)
def test_whoever_was_here_within_ninety_days_is_not_deactivated(
    seen_on: str | None, refusals: tuple[Code, ...]
) -> None:
    assert decided(Kind.DEACTIVATE, seen_on=seen_on).refusals == refusals


def test_nobody_and_what_is_stale() -> None:
    found = decide(Operation(kind=Kind.BLOCK, account_id=4), AccountFacts(person=None, is_fresh=False), HAND)
    assert found == Decision(
        before=None, after=AccountState(state="blocked"), refusals=(Code.STALE_DATA, Code.USER_NOT_FOUND)
    )


@pytest.mark.parametrize(
    ("facts", "has_call", "refusals"),
    [
        (NewAccountFacts(), True, ()),
        (NewAccountFacts(is_taken=True), True, (Code.GRANT_CHANGED,)),
        (NewAccountFacts(own=AccountState(state="active")), False, ()),
        (NewAccountFacts(own=AccountState(state="blocked")), False, (Code.GRANT_CHANGED,)),
        (NewAccountFacts(is_fresh=False), True, (Code.STALE_DATA,)),
    ],
)
def test_a_new_account_is_made_where_nobody_has_its_name_or_address(
    facts: NewAccountFacts, has_call: bool, refusals: tuple[Code, ...]
) -> None:
    found = new_accounts.decide(EVE, facts, HAND)
    assert (bool(found.calls), found.refusals) == (has_call, refusals)


def test_a_new_account_is_asked_for_without_a_password() -> None:
    wanted = replace(EVE, external=True, provider="saml", extern_uid="e-7")
    [call] = new_accounts.decide(wanted, NewAccountFacts(), HAND).calls
    assert (call.method, call.path) == ("POST", "/users")
    assert call.body == {
        "email": "eve@example.com", "username": "eve", "name": "Eve", "external": True,
        "reset_password": True, "skip_confirmation": True, "provider": "saml", "extern_uid": "e-7",
    }  # fmt: skip


def test_an_account_is_closed_before_anything_is_taken_and_deleted_last() -> None:
    kinds = (Kind.DELETE_ACCOUNT, Kind.REVOKE, Kind.BLOCK, Kind.GRANT, Kind.CREATE_ACCOUNT)
    wanted = {number: Operation(kind=kind, account_id=4) for number, kind in enumerate(kinds)}
    assert [kinds[number] for number in in_order(wanted)] == list(reversed(kinds))


@pytest.mark.parametrize(
    ("before", "after", "is_change", "sentence"),
    [
        ("active", "blocked", True, "Ana: active → blocked"),
        ("blocked", None, True, "Ana: blocked → deleted"),
        ("blocked", "blocked", False, "Ana: blocked already, nothing to do"),
        (None, "active", True, "Ana: no account → active"),
    ],
)
def test_a_sentence_about_an_account(before: str | None, after: str | None, is_change: bool, sentence: str) -> None:
    was, becomes = (None if one is None else AccountState(state=one) for one in (before, after))
    assert account_change("Ana", was, becomes, is_change=is_change) == sentence


def test_the_last_day_that_gitlab_knows_of_counts() -> None:
    row = {"id": 4, "username": "ana", "last_activity_on": "2026-01-05", "current_sign_in_at": "2026-02-01T10:00:00Z"}
    assert person_of(row).seen_on == "2026-02-01"
    assert person_of({"id": 4}).seen_on is None


def test_advice_about_accounts_is_about_reasons_that_there_are() -> None:
    assert set(ON_ACCOUNT) < set(ADVICE)
    assert all(text.endswith(".") for text in ON_ACCOUNT.values())
